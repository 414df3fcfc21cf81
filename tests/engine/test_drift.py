"""A name of the pack that the CRM does not offer any more is told, and nothing that was flagged is taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipelint.connectors.base import Diagnosis, FieldInfo
from pipelint.engine.check import CheckResult
from pipelint.engine.check import check as evaluate
from pipelint.engine.crm_schema import load
from pipelint.engine.provision import diagnose
from pipelint.engine.selection import reaches
from pipelint.errors import PermissionMissing
from pipelint.records import Stage
from pipelint.render.check import text

from .conftest import Acme
from .fake_crm import FakeConnector, FakeCrm

PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris, languages: [en]}
overrides: {duplicate-open-opportunities: {status: off}, thin-evidence: {status: off}}   # about other things
stages:
  - {name: open, kind: open, group: early}
  - {name: offer, kind: open, group: late}
pipelines:
  new-business:
    from: {acme: new}
    stages: {open: {from: {acme: open}}, offer: {from: {acme: [offer, quote]}}}
  renewal:
    from: {acme: Prolongation}
    stages: {open: {from: {acme: open}}}
fields:
  need: {from: {acme: Need__c}}
  region: {label: Region, type: choice, from: {acme: Region__c}}
  rival:
    label: Rival
    type: choice
    from: {acme: Rival__c}
    values:
      none: {from: {acme: "0"}}
      globex: {from: {acme: Globex}}
      initech: {from: {acme: Initech}}
"""
RULES = """\
pipelint: 1
rules:
  need-missing: {title: Need is missing, flag_when: {need: blank}, severity: error, message: No need.}
  far: {title: Far away, flag_when: {region: {one_of: [APAC, LATAM]}}, severity: info, message: Far.}
  rivalled: {title: Globex, flag_when: {rival: globex}, severity: warning, message: Globex is there.}
  amount-missing: {title: The amount is missing, flag_when: {amount: blank}, severity: error, message: No amount.}
"""
FIELDS = {
    "Need__c": FieldInfo("Need__c", "Need", "text", custom=True),
    "Region__c": FieldInfo("Region__c", "Region", "choice", custom=True, choices={"EMEA": "EMEA", "APAC": "Asia"}),
    "Rival__c": FieldInfo(
        "Rival__c", "Rival", "choice", custom=True, choices={"0": "-", "Globex": "Globex", "Initech": "Initech"}
    ),
}  # fmt: skip
STAGES = [
    Stage("open", "new", "Open", 1, True, False),
    Stage("offer", "new", "Offer", 2, True, False),
    Stage("quote", "new", "Quote", 3, True, False),
    Stage("open", "renewal", "Open", 1, True, False),
]


@pytest.fixture
def drifting(acme: Acme) -> Acme:
    """Written to: d1 lacks its need, d2 its amount."""
    (acme.folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    acme.pack(RULES)
    acme.setup()
    acme.crm.custom, acme.crm.stages = dict(FIELDS), list(STAGES)
    acme.crm.pipelines["renewal"] = "Prolongation"
    acme.crm.ids = {name: f"id of {name}" for name in FIELDS}
    acme.crm.deal("d0", custom={"Need__c": "pumps", "Region__c": "EMEA"})
    acme.crm.deal("d1", custom={"Region__c": "APAC", "Rival__c": "Globex"})
    acme.crm.deal("d2", amount=None, custom={"Need__c": "pipes"})
    acme.run()
    acme.crm.advance(hours=1)
    return acme


def check(acme: Acme) -> CheckResult:
    with acme.project.cache() as cache:
        return evaluate(cache, acme.project, acme.crm.now)


def told(acme: Acme) -> list[str]:
    acme.run()
    return [f"{each.problem.level} {each.problem.place}: {each.problem.what}" for each in check(acme).drift]


def choices(crm: FakeCrm, field: str, *values: str) -> None:
    crm.custom[field] = replace(crm.custom[field], choices={value: value for value in values})


def rename(crm: FakeCrm, old: str, new: str, *, label: str = "", keep_id: bool = False) -> None:
    field = crm.custom.pop(old)
    crm.custom[new] = replace(field, name=new, label=label or field.label)
    was = crm.ids.pop(old)
    crm.ids[new] = was if keep_id else f"id of {new}"


def stages(crm: FakeCrm, **new: str | None) -> None:
    """Give stages of new business another id and label, or take them away."""
    kept = [each for each in crm.stages if each.pipeline != "new"]
    crm.stages = kept + [
        each if name == each.id else each._replace(id=name, label=name.title())
        for each in crm.stages
        if each.pipeline == "new" and (name := new.get(each.id, each.id)) is not None
    ]


def delete(crm: FakeCrm, name: str) -> None:
    del crm.custom[name], crm.ids[name]


def test_a_crm_that_offers_what_the_pack_names_has_no_drift(drifting: Acme) -> None:
    assert told(drifting) == []


FIELD = "error rules/pack.yaml:15:3: acme: the field Need__c of 'need'"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda crm: delete(crm, "Need__c"), f"{FIELD} is gone, or cannot be seen any more"),
        (lambda crm: crm.custom.pop("Need__c"), f"{FIELD} cannot be seen any more"),
        (
            lambda crm: rename(crm, "Need__c", "Why__c", label="Why", keep_id=True),
            f"{FIELD} is gone: it is called 'Why__c' now",
        ),
        (
            lambda crm: rename(crm, "Need__c", "Customer_Need__c"),
            f"{FIELD} is gone, or cannot be seen any more; did you mean 'Customer_Need__c'?",
        ),
        (
            lambda crm: rename(crm, "Need__c", "Why__c", label="Why"),
            f"{FIELD} is gone, or cannot be seen any more; did you mean 'Why__c'?",
        ),
        (
            lambda crm: choices(crm, "Rival__c", "0", "Globex Inc.", "Initech"),
            "error rules/pack.yaml:23:7: acme: the value 'Globex' of Rival__c is not offered any more,"
            " and rules/rules.yaml:5:41 compares with it; did you mean 'Globex Inc.'?",
        ),
        (
            lambda crm: choices(crm, "Rival__c", "0", "Globex"),
            "warning rules/pack.yaml:24:7: acme: the value 'Initech' of Rival__c is not offered any more",
        ),
        (
            lambda crm: choices(crm, "Region__c", "EMEA", "Asia and Pacific"),
            "error rules/rules.yaml:4:47: acme: the value 'APAC' of Region__c is not offered any more;"
            " did you mean 'Asia and Pacific'?",
        ),
        (
            lambda crm: crm.pipelines.update(renewal="Extension"),
            "error rules/pack.yaml:11:3: acme: the pipeline 'Prolongation' of 'renewal' is gone:"
            " it is called 'Extension' now",
        ),
        (
            lambda crm: stages(crm, open="first talk"),
            "error rules/pack.yaml:10:14: acme: the stage 'open' of new-business/open is gone;"
            " did you mean 'first talk'?",
        ),
        (
            lambda crm: stages(crm, offer="offered"),
            "error rules/pack.yaml:10:42: acme: the stage 'offer' of new-business/offer is gone;"
            " did you mean 'offered'?",
        ),
    ],
    ids=[
        "field deleted", "field hidden", "field renamed by id", "field renamed by likeness", "field replaced",
        "choice renamed", "choice that no rule compares with", "choice without a word of ours", "pipeline label",
        "stage replaced", "one name of two",
    ],
)  # fmt: skip
def test_what_is_gone_is_told_with_its_place_and_its_likely_new_name(
    drifting: Acme, change: Callable[[FakeCrm], object], expected: str
) -> None:
    change(drifting.crm)
    assert told(drifting) == [expected]
    assert told(drifting) == [expected], "told until somebody mends it"


def test_a_word_with_another_name_left_goes_on_with_that(drifting: Acme) -> None:
    stages(drifting.crm, quote=None)
    assert told(drifting) == []


def test_the_new_name_beside_the_old_one_mends_it(drifting: Acme) -> None:
    choices(drifting.crm, "Rival__c", "0", "Globex Inc.", "Initech")
    assert len(told(drifting)) == 1
    mended = PACK.replace("acme: Globex}", "acme: [Globex, Globex Inc.]}")
    (drifting.folder / "rules" / "pack.yaml").write_text(mended, encoding="utf-8")
    assert told(drifting) == []


def test_a_field_that_never_was_there_is_told_with_its_nearest_name(drifting: Acme) -> None:
    pack = PACK.replace("Need__c", "Neeed__c")
    (drifting.folder / "rules" / "pack.yaml").write_text(pack, encoding="utf-8")
    what = "acme: the field Neeed__c of 'need' is not there, or cannot be seen; did you mean 'Need__c'?"
    assert told(drifting) == [f"error rules/pack.yaml:15:3: {what}"]


def test_a_value_that_never_was_offered_is_no_drift(drifting: Acme) -> None:
    """LATAM may be a value of another CRM, or of next year."""
    assert "LATAM" in RULES
    assert told(drifting) == []


def test_flags_of_a_field_that_is_gone_stay_and_keep_their_day(drifting: Acme) -> None:
    crm = drifting.crm
    before = {deal: crm.shows(deal) for deal in ("d0", "d1", "d2")}
    since = datetime(2026, 11, 20, tzinfo=UTC).date()
    field = crm.custom.pop("Need__c")
    crm.advance(days=2)
    writes = len(crm.writes)
    result = drifting.run()
    assert result.error is None
    assert [each.problem.level for each in result.drift] == ["error"]
    assert len(crm.writes) == writes
    assert {deal: crm.shows(deal) for deal in ("d0", "d1", "d2")} == before
    assert [each.rule for each in check(drifting).not_synced] == ["need-missing"]
    assert {f.rule for f in check(drifting).findings if f.id == "d2" and f.status == "flagged"} == {
        "amount-missing"
    }
    crm.custom["Need__c"] = field
    crm.advance(days=2)
    assert drifting.run().drift == []
    assert {deal: crm.shows(deal) for deal in ("d0", "d1", "d2")} == before
    [again] = [f for f in check(drifting).findings if f.rule == "need-missing" and f.status == "flagged"]
    assert (again.id, again.since) == ("d1", since)


LISTING = PACK.replace(
    "open: {from: {acme: open}}, offer", "open: {from: {acme: open}, required: [%s]}, offer"
)


def test_a_flag_that_lists_a_field_that_is_gone_is_not_rewritten_without_it(drifting: Acme) -> None:
    (drifting.folder / "rules" / "pack.yaml").write_text(LISTING % "need, close_date", encoding="utf-8")
    drifting.crm.deal("d1", close_date=None)
    drifting.run()
    before = drifting.crm.shows("d1")
    assert "need, close date" in str(before["pipelint_details"])
    drifting.crm.custom.pop("Need__c")
    drifting.run()
    assert drifting.crm.shows("d1") == before


def test_a_field_that_never_was_there_keeps_no_flag_that_lists_another(drifting: Acme) -> None:
    (drifting.folder / "rules" / "pack.yaml").write_text(LISTING % "budget, close_date", encoding="utf-8")
    drifting.crm.deal("d0", close_date=None)
    drifting.run()
    assert drifting.crm.shows("d0")["pipelint_flags"] == ("stage-required",)
    drifting.crm.deal("d0", close_date=datetime(2027, 6, 1, tzinfo=UTC).date())
    drifting.run()
    assert drifting.crm.shows("d0") == {"pipelint_severity": "clean", "pipelint_hygiene": 100}


def test_records_that_hold_a_value_that_is_gone_work_as_before(drifting: Acme) -> None:
    flagged = {(f.id, f.rule) for f in check(drifting).findings if f.status == "flagged"}
    assert {("d1", "rivalled"), ("d1", "far")} <= flagged
    choices(drifting.crm, "Rival__c", "0", "Initech")
    choices(drifting.crm, "Region__c", "EMEA")
    stages(drifting.crm, open="first talk")
    drifting.run()
    assert {(f.id, f.rule) for f in check(drifting).findings if f.status == "flagged"} == flagged


def test_an_error_of_drift_fails_a_check_and_no_run(drifting: Acme) -> None:
    drifting.crm.deal("d2", amount=5)
    drifting.crm.custom.pop("Need__c")
    assert drifting.run().exit_code == 0
    result = check(drifting)
    assert {f.severity for f in result.findings if f.status == "flagged"} == {"warning", "info"}
    assert reaches(result, "error")
    assert not reaches(result, "never")


def test_doctor_looks_at_the_fields_as_they_are_now(drifting: Acme) -> None:
    rename(drifting.crm, "Need__c", "Why__c", keep_id=True)
    found = [each for _, each in diagnose(drifting.project) if each.level == "problem"]
    assert [each.what for each in found] == [
        "rules/pack.yaml:15:3: the field Need__c of 'need' is gone: it is called 'Why__c' now"
    ]
    with drifting.project.cache() as cache:
        assert all(each.gone is None for each in load(cache.db, "acme")), "doctor remembers nothing"


def test_doctor_tells_what_it_found_before_the_fields_could_not_be_read(
    drifting: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Diagnosis("ok", "signed in")
    second = Diagnosis("problem", "deals are not visible", "grant Read")
    monkeypatch.setattr(FakeConnector, "diagnose", lambda *_: iter((first, second)))

    def refused(*_: object) -> Sequence[FieldInfo]:
        raise PermissionMissing("deals are not visible", hint="grant Read")

    monkeypatch.setattr(FakeConnector, "fields", refused)
    assert list(diagnose(drifting.project)) == [("acme", first), ("acme", second)]
    monkeypatch.setattr(FakeConnector, "diagnose", lambda *_: iter((first,)))
    assert list(diagnose(drifting.project)) == [("acme", first), ("acme", second)]


def test_a_pull_without_change_asks_for_no_ids_and_leaves_the_memory_alone(drifting: Acme) -> None:
    drifting.crm.ids = {}
    with drifting.project.cache() as cache:
        before = load(cache.db, "acme")
        changes = cache.db.total_changes
    drifting.run()
    with drifting.project.cache() as cache:
        assert load(cache.db, "acme") == before
        assert cache.db.total_changes <= changes


def test_check_tells_it_to_people(drifting: Acme, snapshot: Callable[..., None]) -> None:
    rename(drifting.crm, "Need__c", "Why__c", keep_id=True)
    choices(drifting.crm, "Rival__c", "0", "Globex")
    stages(drifting.crm, open="first talk")
    drifting.run()
    snapshot(text(check(drifting), color=False))


def test_run_tells_it_to_people(drifting: Acme, snapshot: Callable[..., None]) -> None:
    from pipelint.engine.run import run
    from pipelint.render.run import render

    rename(drifting.crm, "Need__c", "Why__c", keep_id=True)
    choices(drifting.crm, "Rival__c", "0", "Globex")
    snapshot(render(run(drifting.project), "text", dry_run=False))
