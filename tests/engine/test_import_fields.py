"""Which field of a CRM a name of ours may mean, in three languages."""

from __future__ import annotations

import pytest

from pipelint.connectors.base import FieldInfo, FieldType
from pipelint.engine.import_fields import candidates


def field(label: str, type_: FieldType = "text", name: str = "", **more: object) -> FieldInfo:
    return FieldInfo(name or label.replace(" ", "_"), label, type_, custom=True, **more)  # type: ignore[arg-type]


def chosen(name: str, *fields: FieldInfo) -> str | None:
    found = candidates(fields, [name])
    return found[name].field.label if found else None


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("need", "Besoin du client"),
        ("need", "Kundenbedarf"),
        ("need", "Customer needs"),
        ("decision_makers", "Décideurs"),
        ("decision_makers", "Entscheider"),
        ("decision_makers", "Key decision makers"),
        ("budget", "Budget du client"),
        ("risk", "Risque principal"),
        ("risk", "Risiken"),
        ("next_step", "Prochaine étape"),
        ("next_step", "Nächster Schritt"),
        ("lost_reason", "Motif de la perte"),
        ("lost_reason", "Closed Lost Reason"),
        ("champion", "Champion"),
    ],
)
def test_labels_are_understood_in_three_languages(name: str, label: str) -> None:
    assert chosen(name, field("Something else"), field(label)) == label


@pytest.mark.parametrize("label", ["Échéance", "Frist", "Date limite", "Customer deadline"])
def test_a_deadline_is_a_date(label: str) -> None:
    assert chosen("deadline", field(label, "number"), field(label, "date")) == label
    assert chosen("deadline", field(label, "number")) is None


def test_a_real_date_is_preferred_to_a_text() -> None:
    text, date = field("Deadline", name="A"), field("Deadline", "date", name="B")
    found = candidates([text, date], ["deadline"])
    assert found["deadline"].field is date


@pytest.mark.parametrize("label", ["Budgetary unit of the reseller", "Approved discount budget code", "Type"])
def test_a_label_with_little_in_common_is_no_candidate(label: str) -> None:
    assert chosen("budget", field(label)) is None


def test_a_checkbox_cannot_be_left_blank_so_it_is_no_candidate() -> None:
    assert chosen("budget", field("Budget", "yes_no")) is None


def test_no_field_serves_two_names() -> None:
    only = field("Next step")
    assert list(candidates([only], ["next_step", "next_step_date"])) == ["next_step"]


def test_values_of_a_choice_keep_the_crms_own_word_beside_the_label() -> None:
    found = candidates([field("Risk", "choice", choices={"31": "High", "32": "Low: none"})], ["risk"])
    assert [line.text for line in found["risk"].entry("acme")] == [
        "risk:",
        "from: {acme: Risk}",
        "type: choice",
        "values:",
        'High: {from: {acme: "31"}}',
        '"Low: none": {from: {acme: "32"}}',
    ]


def test_a_name_of_no_standard_field_brings_its_type_and_label() -> None:
    found = candidates([field("Champion")], ["champion"])
    assert [line.text for line in found["champion"].entry("acme")][2:] == [
        "label: Champion", "unmapped: blank", "type: text",
    ]  # fmt: skip
