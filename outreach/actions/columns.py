"""What the columns of a patient list mean: our fields, the names that people give them, and the best guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from outreach.errors import Sentence, say

REQUIRED = ("external_id", "name", "language", "infusion_start", "minutes")
NAMES: dict[str, tuple[str, ...]] = {
    "external_id": (
        "id", "patient_id", "patient", "patient_number", "record", "record_number", "mrn", "chart_number", "chart",
        "numero_de_paciente", "paciente", "expediente", "historia", "numero_de_historia", "no_paciente", "id_paciente",
        "patientennummer", "patienten_id", "patientnummer", "numero_patient", "dossier", "numero_paziente",
        "numero_do_paciente", "prontuario", "ma_benh_nhan", "رقم_المريض", "رقم_الملف", "病人编号", "病历号",
    ),
    "name": (
        "patient_name", "full_name", "first_name", "given_name", "nombre", "nombre_completo", "nombre_del_paciente",
        "nombres", "nom", "nom_complet", "prenom", "vorname", "patientenname", "nome", "nome_completo", "ho_ten",
        "ten", "الاسم", "الاسم_الكامل", "اسم_المريض", "姓名", "名字", "имя", "фио",
    ),
    "last_name": ("surname", "family_name", "apellido", "apellidos", "nachname", "nom_de_famille", "cognome",
                  "sobrenome", "ho", "اسم_العائلة", "姓", "фамилия"),
    "phone": (
        "mobile", "cell", "phone_number", "telephone", "sms", "mobile_phone", "mobile_number", "cell_phone", "tel",
        "telefono", "telefono_movil", "movil", "celular", "numero_de_telefono", "portable", "handy", "handynummer",
        "mobilnummer", "telefon", "telefonnummer", "cellulare", "telefone", "telemovel", "dien_thoai", "so_dien_thoai",
        "الهاتف", "رقم_الهاتف", "الجوال", "手机", "电话", "телефон",
    ),
    "email": ("e_mail", "mail", "email_address", "correo", "correo_electronico", "courriel", "adresse_e_mail",
              "mailadresse", "البريد", "البريد_الالكتروني", "邮箱", "电子邮件", "почта"),
    "language": ("locale", "lang", "preferred_language", "idioma", "lengua", "idioma_preferido", "langue", "sprache",
                 "lingua", "ngon_ngu", "اللغة", "语言", "язык"),
    "zone": ("time_zone", "timezone", "tz", "zona_horaria", "huso_horario", "fuseau_horaire", "zeitzone",
             "المنطقة_الزمنية", "时区"),
    "infusion_start": (
        "start", "starts", "infusion", "visit_start", "start_time", "appointment", "appointment_time", "date_time",
        "datetime", "appointment_date", "infusion_date", "visit_date", "date", "cita", "fecha", "fecha_y_hora",
        "fecha_de_cita", "inicio", "infusion_inicio", "rendez_vous", "termin", "datum", "beginn", "appuntamento",
        "data", "data_e_hora", "ngay", "ngay_hen", "الموعد", "التاريخ", "预约时间", "日期", "дата",
    ),
    "infusion_time": ("time", "hora", "heure", "uhrzeit", "ora", "gio", "الوقت", "时间", "visit_time", "время"),
    "minutes": ("duration", "duration_minutes", "length", "duracion", "minutos", "duree", "dauer", "minuten", "durata",
                "duracao", "thoi_luong", "المدة", "时长", "мин"),
    "visit_id": ("visit", "infusion_id", "appointment_id", "visit_number", "appointment_number", "id_cita",
                 "numero_de_cita", "terminnummer", "رقم_الموعد", "预约号"),
    "consent_sms": ("sms_consent", "text_consent", "consentimiento_sms", "consentement_sms", "einwilligung_sms"),
    "consent_email": ("email_consent", "consentimiento_correo", "consentement_e_mail", "einwilligung_e_mail"),
    "consent_date": ("consented_on", "date_of_consent", "signed_on", "fecha_de_consentimiento", "fecha_consentimiento",
                     "date_du_consentement", "einwilligung_am"),
    "consent_form": ("form", "formulario", "formulaire", "formular"),
    "consent_warned": ("warned", "warning", "advertido"),
    "wording": ("redaccion",),
}  # fmt: skip
SEPARATE = ("last_name", "infusion_time")
"""Parts of a field that some lists keep in a column of their own; joined as they are read."""
FIXABLE = ("language", "minutes")
"""Fields that may be the same for a whole list, when it has no column for them."""


def labels() -> dict[str, Sentence]:
    """What staff call each field."""
    return {
        "external_id": say("Patient number"), "name": say("Name"), "last_name": say("Family name (own column)"),
        "phone": say("Mobile number"), "email": say("E-mail"), "language": say("Language"),
        "zone": say("Time zone"), "infusion_start": say("Visit: date and time"),
        "infusion_time": say("Visit: time (own column)"), "minutes": say("Minutes"),
        "visit_id": say("Visit number"), "consent_sms": say("Agreed to texts"),
        "consent_email": say("Agreed to e-mail"), "consent_date": say("Signed on"), "consent_form": say("Form"),
        "consent_warned": say("Was told: not encrypted"), "wording": say("Wording"),
    }  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """A reading of a list. `columns`: field → position in the header; `fixed`: field → the value of every row.

    `dates`: iso (2026-12-15), mdy (12/15/2026) or dmy (15.12.2026); said by a person, never guessed from one row.
    """

    columns: Mapping[str, int]
    fixed: Mapping[str, str] = field(default_factory=dict)
    dates: str = "iso"

    def as_json(self) -> dict[str, Any]:
        return {"columns": dict(self.columns), "fixed": dict(self.fixed), "dates": self.dates}

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Reading:
        return cls(found.get("columns", {}), found.get("fixed", {}), found.get("dates", "iso"))


def plain(header: str) -> str:
    """The form in which two spellings of a header are equal: no case, accents or punctuation."""
    flat = "".join(char for char in unicodedata.normalize("NFKD", header.casefold()) if not unicodedata.combining(char))
    return "_".join(re.findall(r"[^\W_]+", flat))


_NAMED = {plain(alias): name for name, aliases in NAMES.items() for alias in (*aliases, name)}


@lru_cache(maxsize=4096)
def named(header: str) -> str | None:
    """The field that this header surely names."""
    return _NAMED.get(plain(header[:80]))


def known_in(cells: Sequence[str]) -> int:
    """How many different fields these cells name."""
    return len({name for cell in cells[:200] if cell and (name := named(cell))})


def nearest(header: str) -> str:
    """The field whose name is spelt almost like this; "" for none."""
    near = get_close_matches(plain(header), _NAMED, n=1, cutoff=0.7)
    return _NAMED[near[0]] if near else ""


def guess(headers: Sequence[str]) -> dict[str, int]:
    """Field → position: sure names first, then a name within a longer header ("Patient mobile no.")."""
    found: dict[str, int] = {}
    for position, header in enumerate(headers):
        name = named(header)
        if name and name not in found:
            found[name] = position
    taken = set(found.values())
    for position, header in enumerate(headers):
        if position in taken:
            continue
        words = f"_{plain(header)}_"
        within = [(len(alias), name) for alias, name in _NAMED.items() if len(alias) > 3 and f"_{alias}_" in words]
        for _, name in sorted(within, reverse=True):
            if name not in found:
                found[name] = position
                break
    return found


def missing(columns: Mapping[str, int], fixed: Mapping[str, str]) -> list[str]:
    """Fields without which nobody can be enrolled; "phone" stands for a number or a mailbox."""
    wanted = [name for name in REQUIRED if name not in columns and not fixed.get(name)]
    return wanted if "phone" in columns or "email" in columns else [*wanted, "phone"]
