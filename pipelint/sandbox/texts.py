"""What salespeople write into deals, French, English and German; `{contact}` is a person at the customer."""

from __future__ import annotations

from pipelint.sandbox.names import Language

Texts = dict[Language, tuple[str, ...]]

NEXT_STEPS: Texts = {
    "fr": (
        "Envoyer la proposition révisée à {contact} et caler la relecture",
        "Atelier de cadrage avec {contact} et l'équipe production",
        "Valider le périmètre du pilote avec {contact}",
        "Présenter le calcul de retour sur investissement à {contact}",
        "Revue du contrat avec le service juridique, {contact} organise",
    ),
    "en": (
        "Send revised proposal to {contact} and walk through pricing",
        "Workshop with {contact} on integration and roll-out plan",
        "Agree pilot success criteria with {contact}",
        "Present business case to the board, {contact} sponsors it",
        "Security questionnaire back to {contact}, then contract review",
    ),
    "de": (
        "Überarbeitetes Angebot an {contact} senden und Termin vereinbaren",
        "Workshop mit {contact} zur Anbindung an das ERP",
        "Erfolgskriterien des Piloten mit {contact} festlegen",
        "Wirtschaftlichkeitsrechnung bei {contact} vorstellen",
        "Vertragsentwurf mit {contact} und Einkauf durchgehen",
    ),
}
VAGUE_STEPS: Texts = {
    "fr": ("à rappeler", "relancer", "suivi", "n/a"),
    "en": ("tbd", "follow up", "n/a", "call"),
    "de": ("nachfassen", "melden", "offen", "n/a"),
}
NEEDS: Texts = {
    "fr": (
        "Réduire de moitié le temps de préparation des commandes avant la haute saison",
        "Remplacer trois outils vieillissants par une seule base client",
        "Tracer chaque lot de bout en bout, exigence du nouveau distributeur",
    ),
    "en": (
        "Cut order handling time in half before the peak season",
        "Replace three ageing systems with one customer record",
        "Trace every batch end to end, a demand of the new distributor",
    ),
    "de": (
        "Durchlaufzeit der Aufträge vor der Hochsaison halbieren",
        "Drei alte Systeme durch einen Kundenstamm ersetzen",
        "Chargen lückenlos verfolgen, Auflage des neuen Händlers",
    ),
}
BUDGETS: Texts = {
    "fr": ("Enveloppe validée par la direction financière", "Budget 2 tranches, première votée"),
    "en": ("Approved by finance for this fiscal year", "Two tranches, first one signed off"),
    "de": ("Von der Finanzleitung freigegeben", "Zwei Tranchen, erste bewilligt"),
}
RISKS: Texts = {
    "fr": (
        "Départ possible du sponsor",
        "Un concurrent déjà en place sur un autre site",
        "Charge de leur DSI",
    ),
    "en": ("Sponsor may change role", "Incumbent at a sister site", "Capacity of their IT team"),
    "de": ("Sponsor wechselt vielleicht die Rolle", "Mitbewerber im Schwesterwerk", "Kapazität der IT"),
}
PLACEHOLDERS: Texts = {
    "fr": ("à compléter", "n/a", "."),
    "en": ("n/a", "test", "tbc"),
    "de": ("offen", "n/a", "-"),
}
PRODUCTS: Texts = {
    "fr": ("Plateforme de suivi", "Extension multi-sites", "Module qualité", "Contrat de maintenance"),
    "en": ("Tracking platform", "Multi-site roll-out", "Quality module", "Support contract"),
    "de": ("Tracking-Plattform", "Werkserweiterung", "Qualitätsmodul", "Wartungsvertrag"),
}
RENEWALS: dict[Language, str] = {"fr": "Renouvellement", "en": "Renewal", "de": "Verlängerung"}
CALLS: Texts = {
    "fr": ("Appel : point d'avancement", "Appel : questions sur l'offre"),
    "en": ("Call: progress check", "Call: questions on the offer"),
    "de": ("Anruf: Zwischenstand", "Anruf: Fragen zum Angebot"),
}
MAILS: Texts = {
    "fr": ("Documents demandés", "Proposition de créneaux", "Compte rendu de réunion"),
    "en": ("Documents you asked for", "Suggested time slots", "Meeting notes"),
    "de": ("Angeforderte Unterlagen", "Terminvorschläge", "Besprechungsnotiz"),
}
MEETINGS: Texts = {
    "fr": ("Démonstration sur site", "Point projet", "Revue de la proposition"),
    "en": ("On-site demonstration", "Project review", "Proposal walk-through"),
    "de": ("Vorführung vor Ort", "Projekttermin", "Durchsprache des Angebots"),
}
TITLES: dict[str, Texts] = {
    "Decision Maker": {
        "fr": ("Directrice générale", "Directeur industriel"),
        "en": ("Managing Director", "Chief Operating Officer"),
        "de": ("Geschäftsführerin", "Leiter Produktion"),
    },
    "Champion": {
        "fr": ("Responsable logistique", "Cheffe de projet"),
        "en": ("Head of Logistics", "Programme Manager"),
        "de": ("Leiterin Logistik", "Projektleiter"),
    },
    "Economic Buyer": {
        "fr": ("Directeur financier", "Responsable achats"),
        "en": ("Finance Director", "Head of Procurement"),
        "de": ("Leiter Finanzen", "Einkaufsleiterin"),
    },
    "Evaluator": {
        "fr": ("Architecte SI", "Ingénieure qualité"),
        "en": ("IT Architect", "Quality Engineer"),
        "de": ("IT-Architekt", "Qualitätsingenieurin"),
    },
}
