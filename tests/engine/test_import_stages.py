"""`stages import` proposes a rule file that maps a CRM onto the pack, and writes over nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelint.engine.commands import pull_all
from pipelint.engine.import_stages import propose, write
from pipelint.engine.init import init
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import unmapped_stages
from pipelint.errors import UsageError
from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.engine.importing import edit, stages_of


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox(size=40) as sandbox:
        yield sandbox


@pytest.fixture
def crm(tmp_path: Path, sandbox: SalesforceSandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Project]:
    """A project as `init` leaves it, pointed at the sandbox; opened anew at every call."""
    monkeypatch.setenv("SF_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("SF_CLIENT_SECRET", sandbox.client_secret)
    init(tmp_path)
    edit(tmp_path / "pipelint.yaml", "https://acme.my.salesforce.com", sandbox.base_url)
    return lambda: open_project(tmp_path)


# A CRM with its own stages


def test_every_pipeline_of_the_crm_gets_an_entry(crm: Callable[[], Project]) -> None:
    write(crm(), propose(crm(), "sales"))
    project = crm()
    assert {p.name: p.names for p in project.pack.pipelines} == {
        "new-business": {"sales": ("New_Business",)},
        "renewal": {"sales": ("Renewal",)},
        "master": {"sales": ("Master",)},
        "sales": {},
    }
    assert stages_of(project, "renewal") == {
        "qualification": ("Qualification",),
        "discovery": ("Value Proposition",),
        "proposal": ("Proposal/Price Quote",),
        "negotiation": ("Negotiation/Review", "Verbal Agreement"),
        "won": ("Closed Won",),
        "lost": ("Closed Lost",),
    }


def test_afterwards_no_stage_in_use_is_unmapped(crm: Callable[[], Project]) -> None:
    write(crm(), propose(crm(), "sales"))
    project = crm()
    pull_all(project)
    with project.cache() as cache:
        (connection,) = project.connections()
        assert [found.level for found in unmapped_stages(cache, project, connection)] == ["ok"]


def test_a_stage_in_use_that_the_crm_does_not_list_is_proposed_once_it_was_pulled(
    crm: Callable[[], Project], sandbox: SalesforceSandbox
) -> None:
    fields = {"Name": "Odd", "StageName": "Legal", "CloseDate": "2026-12-31"}
    odd = sandbox.org.create("Opportunity", fields)
    try:
        assert "Legal" not in propose(crm(), "sales").content
        pull_all(crm())
        line = next(line for line in propose(crm(), "sales").content.splitlines() if "Legal" in line)
        assert "guessed by its place" in line
        assert "not an active stage of the CRM" in line
    finally:
        sandbox.org.delete("Opportunity", odd)


def test_each_stage_asks_for_what_the_packs_own_pipeline_asks(crm: Callable[[], Project]) -> None:
    write(crm(), propose(crm(), "sales"))

    def asked(name: str) -> dict[str, tuple[object, ...]]:
        pipeline = next(each for each in crm().pack.pipelines if each.name == name)
        return {
            each.stage.name: (each.required, spelt(each.to_enter), spelt(each.to_leave), each.max_age)
            for each in pipeline.stages
        }

    own = asked("sales")
    own.pop("closing")  # which this CRM has no stage for
    assert asked("new-business") == own


def spelt(condition: object) -> str:
    """A condition without the places where it is written."""
    return re.sub(r"Place\([^)]*\)", "", repr(condition))


def test_what_is_a_guess_says_so(crm: Callable[[], Project]) -> None:
    proposal = propose(crm(), "sales")
    assert "guessed by its place (80 %, BestCase); not an active stage of the CRM" in proposal.content
    below = proposal.content.partition("pipelines:")[2]
    assert proposal.guessed == below.count("guessed") == 10


def test_fields_are_found_by_their_labels(crm: Callable[[], Project]) -> None:
    write(crm(), propose(crm(), "sales"))
    fields = crm().pack.fields
    assert {name: field.names["sales"] for name, field in fields.items()} == {
        "need": ("Need__c",),
        "decision_makers": ("Decision_Makers__c",),
        "budget": ("Budget__c",),
        "deadline": ("Deadline__c",),
        "risk": ("Risk__c",),
        "next_step_date": ("Next_Step_Date__c",),
        "lost_reason": ("Loss_Reason__c",),
    }
    assert tuple(fields["lost_reason"].choices) == (
        "Price", "No decision", "Competitor", "No budget", "Timing", "Missing feature",
    )  # fmt: skip


def test_a_field_that_the_pack_maps_is_left_alone(crm: Callable[[], Project], tmp_path: Path) -> None:
    (tmp_path / "rules" / "fields.yaml").write_text(
        "pipelint: 1\nfields:\n  need: {from: {salesforce: Need__c}}\n  risk: {from: {hubspot: risk}}\n"
    )
    proposal = propose(crm(), "sales")
    assert "  need:" not in proposal.content
    assert "  risk:" not in proposal.content
    assert proposal.notes == (
        "'risk' is defined at rules/fields.yaml:4:3; add to its 'from:' there: sales: Risk__c",
    )


def test_a_pipeline_that_the_pack_names_is_not_defined_again(
    crm: Callable[[], Project], tmp_path: Path
) -> None:
    (tmp_path / "rules" / "renewal.yaml").write_text(
        "pipelint: 1\npipelines:\n  second: {from: {salesforce: Renewal}, stages: {qualification: {from: "
        "{salesforce: [Qualification, Value Proposition]}}, proposal: {from: {salesforce: Proposal/Price Quote}}, "
        "negotiation: {from: {salesforce: Negotiation/Review}}, "
        "won: {from: {salesforce: Closed Won}}, lost: {from: {salesforce: Closed Lost}}}}\n"
        "  all-others: {from: {salesforce: Master}, ignore: yes}\n"
    )
    proposal = propose(crm(), "sales")
    assert "Renewal" not in proposal.content
    assert "Master" not in proposal.content
    assert proposal.notes == (
        "the pipeline 'second' (rules/renewal.yaml:3:3) lacks a stage of the CRM; "
        "write at its stage negotiation: from: {salesforce: [Negotiation/Review, Verbal Agreement]}",
    )


def test_a_name_that_is_taken_gets_another(crm: Callable[[], Project], tmp_path: Path) -> None:
    edit(tmp_path / "rules" / "stages.yaml", "pipelines:\n  sales:", "pipelines:\n  renewal:")
    assert "\n  renewal-salesforce:\n    from: {sales: Renewal}\n" in propose(crm(), "sales").content


def test_a_field_of_a_kind_that_the_rules_cannot_read_is_left_out(
    crm: Callable[[], Project], tmp_path: Path
) -> None:
    rule = "{flag_when: {lost_reason: Bad luck}, severity: info, title: A, message: A}"  # no value of the CRM
    (tmp_path / "rules" / "own.yaml").write_text(f"pipelint: 1\nrules: {{odd: {rule}}}\n")
    proposal = propose(crm(), "sales")
    assert "\n  lost_reason:" not in proposal.content
    assert "'lost_reason' may be Loss_Reason__c, but the rules do not suit a choice field" in proposal.notes
    assert "budget:" in proposal.content


# Twice, and over what is there


def test_the_second_time_nothing_changed(crm: Callable[[], Project]) -> None:
    first = propose(crm(), "sales")
    write(crm(), first)
    second = propose(crm(), "sales")
    assert second == first
    assert write(crm(), second) == "rules/sales.yaml is up to date: nothing changed since it was proposed."


def test_a_reviewed_file_is_never_written_over(crm: Callable[[], Project], tmp_path: Path) -> None:
    write(crm(), propose(crm(), "sales"))
    edit(tmp_path / "rules" / "sales.yaml", "  renewal:", "  renewals:")
    reviewed = (tmp_path / "rules" / "sales.yaml").read_text()
    told = write(crm(), propose(crm(), "sales"))
    assert "rules/sales.yaml says something else and was left alone; the new file is not loaded." in told
    assert (tmp_path / "rules" / "sales.yaml").read_text() == reviewed
    assert "  renewal:" in (tmp_path / "rules" / "sales.yaml.proposed").read_text()
    assert [p.name for p in crm().pack.pipelines] == ["new-business", "renewals", "master", "sales"]


def test_a_file_of_ones_own_by_that_name_stays_part_of_the_pack(
    crm: Callable[[], Project], tmp_path: Path
) -> None:
    own = "pipelint: 1\nfields: {need: {from: {sales: Need__c}}}\n"
    (tmp_path / "rules" / "sales.yaml").write_text(own)
    proposal = propose(crm(), "sales")
    assert "need:" not in proposal.content
    write(crm(), proposal)
    assert (tmp_path / "rules" / "sales.yaml").read_text() == own
    assert (tmp_path / "rules" / "sales.yaml.proposed").exists()


def test_a_pack_that_needs_the_earlier_proposal_is_told_what_to_move(
    crm: Callable[[], Project], tmp_path: Path
) -> None:
    write(crm(), propose(crm(), "sales"))
    with (tmp_path / "rules" / "sales.yaml").open("a") as file:
        file.write("  mood: {type: text, from: {sales: Mood__c}}\n")
    rule = "{flag_when: {mood: bad}, severity: info, title: A, message: A}"
    (tmp_path / "rules" / "own.yaml").write_text(f"pipelint: 1\nrules: {{odd: {rule}}}\n")
    with pytest.raises(UsageError, match="the other rule files need what stands in rules/sales") as error:
        propose(crm(), "sales")
    assert "move what you added" in error.value.hint


def test_it_tells_what_was_written_and_what_comes_next(crm: Callable[[], Project]) -> None:
    assert write(crm(), propose(crm(), "sales")).splitlines() == [
        "wrote rules/sales.yaml: 3 pipelines, 29 stages, 7 fields",
        "What was guessed is marked in the file: 10 of them.",
        "",
        "Next:",
        "  1. read rules/sales.yaml and correct what was guessed",
        "  2. pipelint rules validate",
        "  3. pipelint pull, then pipelint check",
    ]


def test_an_unknown_connection_is_named_with_those_there_are(crm: Callable[[], Project]) -> None:
    with pytest.raises(UsageError, match="there is no connection named 'acme'") as error:
        propose(crm(), "acme")
    assert error.value.hint == "this project has: sales"
