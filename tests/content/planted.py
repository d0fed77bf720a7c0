"""Small correct catalogs of ours in five languages, and the English they translate; defects are planted into them."""

from __future__ import annotations

from outreach.content.catalogs import Unit
from outreach.content.plurals import HEADERS

ENGLISH = [
    Unit("a.sms", "%(clinic)s: Your infusion is on %(day)s. Questions? Call %(phone)s. Reply 1 to agree, STOP to end."),
    Unit("b.title", "Please come tomorrow at 9:30, or call 555-0199"),
    Unit("c.often", "You get one message.", "You get %(count)s messages."),
    Unit("d.effects", "Side effects are usually mild. They pass within hours. Tell your care team: 100%% of them ask."),
    Unit("e.crps", "You have CRPS. Do you have a question?"),
]
UNITS = {unit.key: unit for unit in ENGLISH}

ES = [
    [
        "%(clinic)s: Su infusión es el %(day)s. ¿Preguntas? Llame al %(phone)s. "
        "Responda 1 para aceptar, STOP para terminar."
    ],
    ["Por favor, venga mañana a las 9:30 o llame al 555-0199"],
    ["Usted recibe un mensaje.", "Usted recibe %(count)s de mensajes.", "Usted recibe %(count)s mensajes."],
    [
        "Los efectos secundarios suelen ser leves. Pasan en unas horas. Avise a su equipo médico, "
        "como pide el 100%% de ellos."
    ],
    ["Usted tiene SDRC (CRPS). ¿Tiene alguna pregunta?"],
]
RU = [
    ["%(clinic)s: Ваша капельница: %(day)s. Вопросы? Позвоните: %(phone)s. Ответьте 1, если согласны, STOP = отказ."],
    ["Пожалуйста, приходите завтра в 9:30 или позвоните 555-0199"],
    ["Вы получите %(count)s сообщение.", "Вы получите %(count)s сообщения.", "Вы получите %(count)s сообщений."],
    ["Побочные эффекты обычно лёгкие. Они проходят за несколько часов. Скажите медикам, об этом просят 100%% из них."],
    ["У Вас КРБС (CRPS). У Вас есть вопрос?"],
]
AR = [
    ["%(clinic)s: موعد التسريب الوريدي %(day)s. هل لديكم أسئلة؟ "
     "الاتصال: %(phone)s. الرد 1 للموافقة، STOP للإنهاء."],
    ["يرجى الحضور غدا في 9:30 أو الاتصال على 555-0199"],
    ["لا يبقى لكم أي يوم.", "يبقى لكم يوم واحد.", "يبقى لكم يومان.", "يبقى لكم %(count)s أيام.",
     "يبقى لكم %(count)s يوما.", "يبقى لكم %(count)s يوم."],
    ["الآثار الجانبية خفيفة عادة. وهي تزول خلال ساعات. يرجى إخبار فريق الرعاية، فهذا ما يطلبه 100%% منهم."],
    ["لديكم متلازمة الألم (CRPS). هل لديكم سؤال؟"],
]  # fmt: skip
FA = [
    ["%(clinic)s: تزریق وریدی شما %(day)s است. پرسشی دارید؟ تلفن: %(phone)s. برای موافقت 1 و برای پایان STOP بفرستید."],
    ["لطفاً فردا ساعت 9:30 بیایید یا به 555-0199 زنگ بزنید"],
    ["شما %(count)s پیام دریافت می‌کنید.", "شما %(count)s پیام دریافت می‌کنید."],
    ["عوارض جانبی معمولاً خفیف است. در چند ساعت می‌گذرد. به تیم درمان بگویید، چون 100%% آن‌ها می‌پرسند."],
    ["شما سندرم درد (CRPS) دارید. آیا پرسشی دارید؟"],
]
ZH = [
    ["%(clinic)s：您的输液时间是 %(day)s。有问题吗？请致电 %(phone)s。回复 1 表示同意，回复 STOP 退出。"],
    ["请明天 9:30 过来，或致电 555-0199"],
    ["您会收到 %(count)s 条消息。"],
    ["副作用通常较轻。几小时内会消失。请告诉您的医护团队，他们 100%% 会问。"],
    ["您患有 CRPS。您有问题吗？"],
]
SAID = {"es": ES, "ru": RU, "ar": AR, "fa": FA, "zh_Hans": ZH}


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def catalog(locale: str) -> str:
    """A correct catalog."""
    lines = [
        "# words", 'msgid ""', 'msgstr ""', f'"Language: {locale}\\n"', '"PO-Revision-Date: 2026-11-21 12:00+0000\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"', f'"Plural-Forms: {HEADERS[locale]};\\n"',
    ]  # fmt: skip
    for unit, forms in zip(ENGLISH, SAID[locale], strict=True):
        lines += ["", "#, python-format", f'msgctxt "{unit.key}"', f"msgid {quoted(unit.text)}"]
        if unit.plural:
            lines += [f"msgid_plural {quoted(unit.plural)}"]
            lines += [f"msgstr[{at}] {quoted(form)}" for at, form in enumerate(forms)]
        else:
            lines += [f"msgstr {quoted(forms[0])}"]
    return "\n".join(lines) + "\n"
