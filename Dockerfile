# One image for web, worker, beat and migrate; the command says which. Data live in the database, not here.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Before the code, so that a change of code does not install anew. Every package is checked against its hash.
COPY requirements.txt ./
RUN python -m pip install --require-hashes -r requirements.txt

COPY pyproject.toml LICENSE ./
COPY config ./config
COPY locales ./locales
COPY templates ./templates
COPY outreach ./outreach
COPY workers ./workers

# It needs no rights: nothing in the image is writable to it but its own /data.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin outreach \
 && install --directory --owner=outreach --mode=0700 /data
USER outreach
ENV OUTREACH_VAR=/data

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Only the proxies that OUTREACH_TRUSTED_PROXIES names are believed when they say whom they ask for.
ENV OUTREACH_TRUSTED_PROXIES=127.0.0.1
CMD ["sh", "-c", "exec python -m uvicorn outreach.web.app:create --factory --host 0.0.0.0 --port 8000 --no-access-log --log-level warning --forwarded-allow-ips \"${OUTREACH_TRUSTED_PROXIES:-127.0.0.1}\""]
