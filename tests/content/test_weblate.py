"""What Weblate is told: names that it knows, masks that find our files, checks that no catalog of ours breaks."""

from __future__ import annotations

import configparser
import json
import re
from itertools import pairwise
from typing import Any

from outreach.content.console_words import targets as console_targets
from outreach.content.extraction import targets
from outreach.content.pofile import parse
from outreach.settings import ROOT

COMPONENTS: list[dict[str, Any]] = json.loads((ROOT / "weblate" / "components.json").read_text("utf-8"))
# The fields of a component, from Weblate's own schema (weblate-component.schema.json), and the ids of its checks and
# the parameters of its formats that are used here.
FIELDS = {
    "name", "slug", "vcs", "repo", "push", "repoweb", "report_source_bugs", "branch", "push_branch", "filemask",
    "template", "edit_template", "intermediate", "new_base", "file_format", "file_format_params", "locked",
    "allow_translation_propagation", "enable_suggestions", "suggestion_voting", "suggestion_autoaccept", "check_flags",
    "enforced_checks", "license", "agreement", "new_lang", "language_code_style", "manage_units", "merge_style",
    "commit_message", "add_message", "delete_message", "merge_message", "addon_message", "pull_message",
    "push_on_commit", "commit_pending_age", "auto_lock_error", "source_language", "language_regex", "variant_regex",
    "priority", "restricted", "is_glossary", "glossary_color",
}  # fmt: skip
CHECKS = {
    "python_format", "placeholders", "plurals", "same-plurals", "check_glossary", "safe-html", "url", "max-length",
    "zero-width-space",
}  # fmt: skip
PARAMETERS = {"po_line_wrap", "po_keep_previous", "po_fuzzy_matching"}


def test_every_field_and_check_is_one_that_weblate_knows() -> None:
    for one in COMPONENTS:
        assert one.keys() <= FIELDS, one.keys() - FIELDS
        assert {"name", "slug", "repo", "filemask", "file_format"} <= one.keys()
        assert set(one["enforced_checks"]) <= CHECKS
        assert one["file_format_params"].keys() == PARAMETERS
        assert one["file_format_params"]["po_fuzzy_matching"] is False, "likeness once took a “not” away"
        assert one["allow_translation_propagation"] is False, "each key is said for its own place"
        assert re.fullmatch(r"[a-z]+", one["slug"])
    first, second = COMPONENTS
    assert first["push_branch"] not in ("", first["branch"]), "what comes from Weblate passes our checker first"
    assert second["repo"] == f"weblate://outreach/{first['slug']}"


def test_the_masks_find_exactly_our_catalogs_and_their_templates() -> None:
    for one, wanted in zip(COMPONENTS, (targets(ROOT), console_targets(ROOT)), strict=True):
        before, after = one["filemask"].split("*")
        found = [path.relative_to(ROOT).as_posix() for path in ROOT.glob(one["filemask"])]
        assert sorted(name.removeprefix(before).removesuffix(after) for name in found) == sorted(wanted)
        assert (ROOT / one["new_base"]).is_file()


def test_no_text_of_ours_is_longer_than_weblate_lets_pass() -> None:
    most = int(re.search(r"max-length:(\d+)", COMPONENTS[0]["check_flags"])[1])  # type: ignore[index]
    held = re.search(r'placeholders:r"(.+?)"', COMPONENTS[0]["check_flags"])
    assert held
    for path in ROOT.glob(COMPONENTS[0]["filemask"]):
        for entry in parse(path, path.read_text("utf-8"))[1:]:
            assert max(map(len, entry.forms)) <= most
            assert set(re.findall(held[1], entry.forms[-1])) == set(re.findall(held[1], entry.plural or entry.source))


def test_the_client_is_told_of_a_component_that_is_there_and_of_no_key() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / ".weblate")
    assert settings["weblate"]["translation"] == f"outreach/{COMPONENTS[0]['slug']}"
    assert not settings.has_section("keys")
    assert all(one["slug"] != other["slug"] for one, other in pairwise(COMPONENTS))
