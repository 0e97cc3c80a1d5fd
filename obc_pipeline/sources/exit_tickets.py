"""Exit tickets: wide survey exports, one row per response. Google Forms heads columns with the question, Qualtrics has three header rows.

What a column means comes from the source's item dictionary: `items` with `item_code`, `header` and whether it is free text. A
header that is in no dictionary refuses the file, because an unknown field may be what a child wrote. Answers are kept as sent, in one
map from item code to answer; free text in a restricted map of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from obc_pipeline.sources.declaration import TIMESTAMP_FORMATS, Column, Format, Gather, Table

# Forms' own CSV writes the zone behind the time; the time is local either way, and kept as written.
_ZONES = (
    "EST",
    "EDT",
    "CST",
    "CDT",
    "MST",
    "MDT",
    "PST",
    "PDT",
    "AKST",
    "AKDT",
    "HST",
    "UTC",
    "GMT",
    *(f"GMT-{hours}" for hours in range(4, 11)),
)
_MOMENTS = (
    *TIMESTAMP_FORMATS, "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%Y-%m-%d %H:%M",
    "%Y/%m/%d %I:%M:%S %p", "%Y/%m/%d %H:%M:%S", *(f"%Y/%m/%d %I:%M:%S %p {zone}" for zone in _ZONES),
)  # fmt: skip


def item_codes(is_free_text: bool) -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """A function from a source's options to its items' header -> item code, either those of free text or the others.

    `options["items"]` is a list of mappings with `item_code`, `header` (a text, or a list of texts the question has had) and
    optionally `is_free_text`. Two headers may share a code: the same question asked in other words.
    """

    def codes(options: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for item in options.get("items") or ():
            if bool(item.get("is_free_text", False)) is not is_free_text:
                continue
            sent = item["header"]
            for header in (sent,) if isinstance(sent, str) else sent:
                found[str(header)] = str(item["item_code"])
        return found

    return codes


def _option(name: str) -> Callable[[str, Mapping[str, Any]], str | None]:
    def value(_member_name: str, options: Mapping[str, Any]) -> str | None:
        said = options.get(name)
        return None if said is None else str(said)

    return value


_COLUMNS = (
    Column("response_id", "id", ("response_id", "ResponseId"), "Tool's id of the response; Google Forms has none."),
    Column(
        "student_id", "id", ("student_id", "student_number", "Student ID"),
        "Student id as typed or passed on; blank in anonymous surveys.",
    ),
    Column("session_id", "id", ("session_id", "session_code", "Session ID"), "Session the ticket is about; often blank."),
    Column("tutor_id", "id", ("tutor_id", "tutor_code", "Tutor ID"), "Tutor the ticket is about."),
    Column(
        "submitted_at", "timestamp",
        ("submitted_at", "Timestamp", "RecordedDate", "completed", "Carimbo de data/hora", "Marca temporal", "Horodateur", "Zeitstempel"),
        "When it was sent, local time as written.", formats=_MOMENTS, is_header_required=True, is_value_required=True,
    ),
    Column("form_version", "text", ("form_version",), "Version of the form, from the source's option when the file does not say."),
    Column("language", "text", ("language", "UserLanguage"), "Language the form was filled in."),
    Column("answers", "map", description="Item code to answer as sent."),
    Column("free_text", "map", description="Item code to what was written.", privacy="restricted"),
    Column("external_reference", "id", ("ExternalReference", "ExternalDataReference"), "Reference passed on with the link (Qualtrics)."),
    Column("started_at", "timestamp", ("StartDate",), "When the form was opened (Qualtrics).", formats=_MOMENTS),
    Column("ended_at", "timestamp", ("EndDate",), "When the form was left (Qualtrics).", formats=_MOMENTS),
    Column("response_status", "text", ("Status",), "How the response came (Qualtrics); previews and tests are named here."),
    Column("is_finished", "boolean", ("Finished",), "Whether the form was finished (Qualtrics)."),
    Column("progress_percent", "integer", ("Progress",), "How far the form was filled, 0-100 (Qualtrics)."),
    Column("duration_seconds", "integer", ("Duration (in seconds)",), "Seconds spent on the form (Qualtrics)."),
    Column("distribution_channel", "text", ("DistributionChannel",), "How the form was reached (Qualtrics); `preview` is a test."),
    Column("quiz_score", "text", ("Score",), "Score of a form in quiz mode."),
    Column("respondent_email", "text", ("Email Address", "Username", "RecipientEmail"), "E-mail address.", privacy="drop"),
    Column("respondent_last_name", "text", ("RecipientLastName",), "Family name.", privacy="drop"),
    Column("respondent_first_name", "text", ("RecipientFirstName",), "Given name.", privacy="drop"),
    Column("ip_address", "text", ("IPAddress",), "Network address.", privacy="drop"),
    Column("location_latitude", "text", ("LocationLatitude",), "Place.", privacy="drop"),
    Column("location_longitude", "text", ("LocationLongitude",), "Place.", privacy="drop"),
)  # fmt: skip

_GOOGLE_FORMS = {"Timestamp": "submitted_at", "Email Address": "respondent_email", "Username": "respondent_email", "Score": "quiz_score"}
_QUALTRICS = {
    "ResponseId": "response_id",
    "RecordedDate": "submitted_at",
    "StartDate": "started_at",
    "EndDate": "ended_at",
    "Status": "response_status",
    "Finished": "is_finished",
    "ExternalReference": "external_reference",
    "UserLanguage": "language",
}

FORMAT = Format(
    name="exit_tickets",
    title="Exit tickets",
    delimiters=(",", "\t"),
    options={
        "preset": "google_forms, qualtrics or vendor: how the tool writes its export.",
        "items": "The item dictionary: item_code, header, construct, scale_min, scale_max, is_reverse, labels, is_free_text.",
        "ignore_headers": "Headers that are left in the archive, such as a question nobody evaluates.",
        "header_rows": "Rows before the data, when the export was changed on the way.",
        "form_version": "Version of the form, when no column says so.",
        "language": "Language of the form, when no column says so.",
    },
    tables=(
        Table(
            name="response",
            description="One response to a form, with every answer as sent.",
            columns=_COLUMNS,
            natural_key=("response_id",),
            fallback_key=("submitted_at", "student_id", "session_id", "form_version"),
            key_may_be_blank=("student_id", "session_id", "form_version"),
            supersedes="key",
            exported_at="submitted_at",
            header_versions={
                "google_forms": ("Timestamp",),
                "qualtrics": (
                    "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate", "ResponseId",
                    "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference", "LocationLatitude", "LocationLongitude",
                    "DistributionChannel", "UserLanguage",
                ),
                "vendor": ("response_id", "student_id", "session_id", "tutor_id", "submitted_at", "form_version", "language"),
            },
            presets={"google_forms": _GOOGLE_FORMS, "qualtrics": _QUALTRICS, "vendor": {}},
            layout_header_rows={"qualtrics": 3},  # names, question texts, import ids
            layout_header_marks={"qualtrics": "ImportId"},
            left_out_headers=(r"Points - .*", r"Feedback - .*"),  # quiz mode: what each answer scored
            constants={"form_version": _option("form_version"), "language": _option("language")},
            gather=(Gather("answers", item_codes(is_free_text=False)), Gather("free_text", item_codes(is_free_text=True))),
            keeps_extra_columns=False,
        ),
    ),
)  # fmt: skip
