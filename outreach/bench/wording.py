"""Words: one SMS and one e-mail rendered in every language, all catalogs checked, a unit previewed as it is typed."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

from outreach.bench.mail import letters
from outreach.bench.plan import Plan, Wrong
from outreach.bench.report import Row
from outreach.bench.stock import STEPS
from outreach.content import candidate
from outreach.content.compose import Words
from outreach.content.workbench import Workbench
from outreach.domain.channel import Channel
from outreach.domain.segments import count
from outreach.errors import BadInput
from outreach.settings import ROOT

MESSAGES = 400
"""Of one language in one stretch."""
TYPED = ("pre.tomorrow.sms", "pre.tomorrow.subject", "neutral.sms", "post.first_days.sms")
PREVIEWED = ("es", "ar", "zh_Hans")
PRESSES = 5


def words_rows(plan: Plan) -> list[Row]:
    """CPU of this process, which is warm: templates are compiled; of the checker, that of a whole command."""
    begun = time.process_time()
    words = Words.load(ROOT)
    loading = time.process_time() - begun
    many = 20 if plan.quick else MESSAGES
    made = []
    for target, channel in (("words_sms", Channel.SMS), ("words_email", Channel.EMAIL)):
        each = {locale: _rendering(words, locale, channel, many, plan.reps) for locale in words.voices}
        middles = [statistics.median(one[number] for one in each.values()) for number in range(plan.reps)]
        slowest = max(each, key=lambda locale: statistics.median(each[locale]))
        beside = {f"slowest_{slowest}_us": statistics.median(each[slowest])}
        made.append(Row.of(target, middles, **beside))
        plan.tell(target)
    made.append(_preview(plan))
    plan.tell("previews")
    made.append(_check(plan, loading))
    return made


def _rendering(words: Words, locale: str, channel: Channel, many: int, reps: int) -> list[float]:
    """µs of one message, in each repetition after a first that compiles."""
    told = []
    for _ in range(-1, reps):
        stretch = list(letters(many))
        begun = time.process_time()
        for number, values in enumerate(stretch):
            words.compose(STEPS[number % len(STEPS)], channel, locale, "full", values)
        told.append((time.process_time() - begun) / many * 1e6)
    return told[1:]


def _preview(plan: Plan) -> Row:
    """Of all units and languages the slowest, in ms: faults, three sample readers' texts, the e-mail and the page."""
    bench = Workbench(ROOT)
    each: dict[str, list[float]] = {}
    for locale in PREVIEWED[: 1 if plan.quick else None]:
        for key in TYPED:
            each[f"{key} {locale}"] = [_press(bench, locale, key, number) for number in range(PRESSES)]
    middles = {name: statistics.median(one) for name, one in each.items()}
    slowest = max(middles, key=lambda name: middles[name])
    return Row.of("words_preview", each[slowest], median_of_units_ms=statistics.median(middles.values()))


def _press(bench: Workbench, locale: str, key: str, number: int) -> float:
    """One more letter in the field, and everything that is shown beside it; ms."""
    begun = time.process_time()
    grounds, shelf = bench.grounds(), bench.shelf(locale)
    line, use = shelf.line(key), candidate.uses(grounds, key)
    forms = tuple(f"{form}{'x' * number}" for form in line.forms)
    shelf.faults(line, forms)
    words, samples = candidate.candidate(grounds, shelf, key, forms), candidate.fitting(grounds, key)
    if use is None:
        raise Wrong(f"words: {key} is seen nowhere")
    try:
        for values in samples.values():
            count(words.compose(use.message, Channel.SMS, locale, use.wording, values).text)
        candidate.email(words, locale, use, samples["typical"])
        words.page(use.message, locale, use.wording, samples["typical"])
    except BadInput as error:
        raise Wrong(f"words: {key} cannot be shown: {error}") from error
    return (time.process_time() - begun) * 1e3


def _check(plan: Plan, loading: float) -> Row:
    """The command from its start to its end; what it finds is not judged here."""
    seconds, wall = [], []
    for number in range(1 if plan.quick else min(plan.reps, 3)):
        before, begun = _children(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "outreach", "locales", "check"],
            cwd=ROOT,
            capture_output=True,
            check=False,
            timeout=300,
        )
        if done.returncode not in (0, 1) or b"templates" not in done.stdout:
            raise Wrong(f"words: the checker did not come to its end (exit {done.returncode})")
        seconds.append(_children() - before)
        wall.append(time.perf_counter() - begun)
        plan.tell(f"checks {number + 1}")
    return Row.of("words_check", seconds, wall_s=statistics.median(wall), loading_words_s=loading)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
