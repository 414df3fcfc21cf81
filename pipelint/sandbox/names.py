"""Names of people, companies and places, French, English and German; none is meant to be anyone's."""

from __future__ import annotations

import unicodedata
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["fr", "en", "de"]

FIRST: dict[Language, tuple[str, ...]] = {
    "fr": ("Camille", "Élodie", "Margaux", "Hugo", "Bastien", "Inès", "Thibault", "Noémie", "Rémi",
           "Solène", "Aurélien", "Maëlle", "Jérôme", "Clémence", "Yanis", "Sandrine", "Loïc", "Fatou",
           "Gaëtan", "Agnès"),
    "en": ("Olivia", "Harriet", "Callum", "Priya", "Declan", "Imogen", "Rhys", "Amara", "Graham",
           "Niamh", "Toby", "Zara", "Fergus", "Beth", "Kieran", "Leila", "Simon", "Hazel", "Owen",
           "Joanna"),
    "de": ("Anke", "Jürgen", "Katharina", "Lukas", "Friederike", "Matthias", "Silke", "Jonas", "Heike",
           "Florian", "Ayşe", "Bernd", "Carina", "Dirk", "Franziska", "Sören", "Ulrike", "Tobias",
           "Renate", "Björn"),
}  # fmt: skip
LAST: dict[Language, tuple[str, ...]] = {
    "fr": ("Lemoine", "Chevallier", "Garnier", "Le Goff", "Barbier", "Fontaine", "Rousseau", "d'Aubigny",
           "Perrin", "Morvan", "Dacosta", "Vasseur", "Delmas", "Cordier", "Benali", "Tessier",
           "Marchand", "Guérin"),
    "en": ("Ashworth", "Bennett", "O'Connor", "Whitfield", "Patel", "Hargreaves", "Sinclair", "Doyle",
           "Mercer", "Okafor", "Langley", "Thorne", "Fairbanks", "Quinn", "Ramsay", "Holloway", "Shah",
           "Brennan"),
    "de": ("Lindemann", "Schäfer", "Vogt", "Kühn", "Brandt", "Hoffmeister", "Yılmaz", "Krause", "Weiß",
           "Seidel", "Ackermann", "Böhm", "Reuter", "Pfeiffer", "Döring", "Steinbach", "Lorenz",
           "von Thun"),
}  # fmt: skip
STEMS: dict[Language, tuple[str, ...]] = {
    "fr": ("Ateliers Verdier", "Brasserie du Lac", "Clinique Saint-Yves", "Logis Atlantique",
           "Maison Roussel", "Cartonnages Mercier", "Transports Duvallon", "Verreries d'Oise",
           "Laiterie Montclar", "Hydro Provence", "Imprimerie Colbert", "Fonderie Lambertin",
           "Vergers de l'Adour", "Textiles Brémond", "Optique Valois"),
    "en": ("Ashdown Mills", "Brightwater Foods", "Calder Engineering", "Dunmore Logistics",
           "Eastgate Insurance", "Fenwick Plastics", "Glenavon Energy", "Harbour Medical",
           "Ironbridge Tools", "Kestrel Software", "Larkfield Homes", "Moorland Dairies",
           "Northgate Retail", "Oakhurst Schools", "Pennine Paper"),
    "de": ("Alpenhof Molkerei", "Bergmann Maschinenbau", "Dresdner Optik", "Elbtal Logistik",
           "Feldkirch Energie", "Hansa Verpackung", "Isartal Software", "Kettwig Chemie",
           "Lahnauer Werkzeuge", "Main Versicherung", "Nordsee Fischwaren", "Rheingau Klinik",
           "Saarstahlbau Petri", "Taunus Textil", "Weserland Papier"),
}  # fmt: skip
FORMS: dict[Language, tuple[str, ...]] = {
    "fr": ("SA", "SAS", "SARL", "& Fils"),
    "en": ("Ltd", "plc", "Group", "& Co"),
    "de": ("GmbH", "AG", "KG", "SE"),
}  # fmt: skip
CITIES: dict[Language, tuple[str, ...]] = {
    "fr": ("Lyon", "Nantes", "Lille", "Toulouse", "Rennes", "Strasbourg"),
    "en": ("Leeds", "Bristol", "Cardiff", "Glasgow", "Belfast", "Norwich"),
    "de": ("Hamburg", "Leipzig", "Stuttgart", "Köln", "Bremen", "München"),
}
COUNTRIES: dict[Language, str] = {"fr": "France", "en": "United Kingdom", "de": "Germany"}


def ascii_name(text: str) -> str:
    """A name as it stands in an address: `d'Aubigny` becomes `daubigny`, `Weiß` becomes `weiss`."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ı", "i"))
    return "".join(it for it in plain.lower() if it.isascii() and it.isalnum())
