"""The contract of ``nurt decode --format json``: keys, order, exact numbers, one answer a line."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.build import build
from decoders.models import models
from decoders.shipped_layouts import shipped_layouts
from decoders.wmbus import blocks
from decoders.wmbus.compact import compact_frame
from metering.meter import MeterId
from service.asked import Given, key_of, read_line
from service.decode_lines import answer, decoding, json_line
from service.decode_stream import DecodeStream

METER = MeterId.parse("SEN-12345699-68-07")
STRANGER = MeterId.parse("XYZ-12345699-68-07")
"""No model knows it."""
KEY = bytes(range(16))
VOLUME = bytes.fromhex("0413181E0000")  # 7.704 m3
MINUTES = bytes.fromhex("046D2A0DC62C")  # 2022-12-06 13:42, type F
PLAIN = build(METER, VOLUME, access=1, mode=0).hex()
SEALED = build(METER, VOLUME, access=1, mode=5, key=KEY).hex()
TOP = [
    "meter_id", "manufacturer", "serial", "version", "device_type", "medium",
    "model", "fields", "records", "security", "error",
]  # fmt: skip


def asked(line: str, key: bytes | None = None, given: Given | None = None) -> list[dict]:
    """Give the answers to a line, numbers as exact decimals."""
    written = [json_line(answer(one)) for one in read_line(line, given or Given(key))]
    assert all(one.endswith(b"\n") and one.count(b"\n") == 1 for one in written)
    return [json.loads(one, parse_float=Decimal, parse_int=int) for one in written]


def only(line: str, key: bytes | None = None, given: Given | None = None) -> dict:
    (one,) = asked(line, key, given)
    return one


def test_a_telegram_is_written_as_the_contract_says():
    assert only(PLAIN) == {
        "meter_id": "SEN-12345699-68-07",
        "manufacturer": "SEN",
        "serial": "12345699",
        "version": "68",
        "device_type": "07",
        "medium": "water",
        "model": "iperl",
        "fields": {"total_m3": Decimal("7.704")},
        "records": [
            {
                "difvif": "0413",
                "function": "instantaneous",
                "storage": 0,
                "tariff": 0,
                "subunit": 0,
                "quantity": "volume",
                "unit": "m3",
                "value": Decimal("7.704"),
            }
        ],
        "security": {"mode": 0, "encrypted": False, "verified": False},
        "error": None,
    }
    assert list(only(PLAIN)) == TOP


def test_numbers_are_written_with_the_digits_they_have():
    (one,) = read_line(PLAIN)
    assert b'"value":7.704}' in json_line(answer(one))


@pytest.mark.parametrize(
    "line",
    [
        PLAIN.upper(),
        f"0x{PLAIN}",
        " ".join(f"0x{byte:02X}" for byte in bytes.fromhex(PLAIN)),
        f"  {PLAIN[:20]} | {PLAIN[20:30]}_{PLAIN[30:]}\r\n",
        json.dumps({"telegram": PLAIN}),
        json.dumps({"telegram": PLAIN, "key": None, "model": None, "other": [1]}),
        f"T1;1;1;2026-01-02 03:04:05.000;97;148;12345699;0x{PLAIN}",
        f"C1;1;1;;-70;;;0x{PLAIN}",
        f'"{PLAIN}"',
        f"\ufeff{PLAIN}",
        bytes.fromhex(PLAIN).hex(":"),
        bytes.fromhex(PLAIN).hex("-").upper(),
        ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(PLAIN)),
        "".join(f"\\x{byte:02x}" for byte in bytes.fromhex(PLAIN)),
        f"telegram=|{PLAIN[:22]}_{PLAIN[22:]}|+13",
        f"telegram={PLAIN}",
        f"b{blocks.add_format_a(bytes.fromhex(PLAIN)).hex().upper()}",
        f"bY{blocks.add_format_b(bytes.fromhex(PLAIN)).hex().upper()}805E",
        json.dumps({"telegram": f"|{PLAIN}|"}),
    ],
)
def test_a_telegram_may_be_written_in_many_ways(line):
    assert only(line) == only(PLAIN)


def test_two_telegrams_on_a_line_of_rtl_wmbus_are_two_answers():
    assert asked(f"T1;1;1;2026-01-02 03:04:05.000;97;148;12345699;0x{PLAIN};0x{PLAIN}") == asked(PLAIN) * 2


OTHER = build(METER, bytes.fromhex("041301000000"), access=2, mode=0).hex()


@pytest.mark.parametrize("line", [PLAIN + OTHER, f"{PLAIN} {OTHER.upper()}", f"0x{PLAIN}|0x{OTHER}"])
def test_two_telegrams_on_a_line_are_two_answers_in_their_order(line):
    assert asked(line) == [only(PLAIN), only(OTHER)]
    assert asked(json.dumps({"telegram": line})) == asked(line)


@pytest.mark.parametrize("behind", ["5E", "C35E", "5E000012"])
def test_a_signal_strength_behind_a_telegram_does_not_matter(behind):
    assert only(PLAIN + behind) == only(PLAIN)


@pytest.mark.parametrize("framed", [blocks.add_format_a, blocks.add_format_b])
def test_checksums_left_on_do_not_matter(framed):
    assert only(framed(bytes.fromhex(PLAIN)).hex()) == only(PLAIN)


def test_fields_have_the_names_of_the_model_first_then_names_by_rule():
    payload = bytes.fromhex("01FD1700 0413181E0000 023B0404")
    told = only(build(METER, payload).hex())
    assert list(told["fields"].items()) == [
        ("total_m3", Decimal("7.704")),
        ("max_flow_m3h", Decimal("1.028")),
        ("error_flags", 0),
    ]
    assert [record["difvif"] for record in told["records"]] == ["01FD17", "0413", "023B"]


def test_a_meter_no_model_knows_is_told_by_rule():
    told = only(build(STRANGER, bytes.fromhex("0413181E0000 023B0404")).hex())
    assert told["model"] is None
    assert told["fields"] == {"total_m3": Decimal("7.704"), "flow_m3h": Decimal("1.028")}


def test_a_model_may_be_named_with_the_telegram_or_for_all():
    frame = build(STRANGER, bytes.fromhex("0413181E0000 023B0404")).hex()
    for told in (
        only(json.dumps({"telegram": frame, "model": "iperl"})),
        only(json.dumps({"telegram": frame, "driver": "IPERL"})),
        only(frame, given=Given(model=models()["iperl"])),
    ):
        assert told["model"] == "iperl"
        assert told["fields"] == {"total_m3": Decimal("7.704"), "max_flow_m3h": Decimal("1.028")}
        assert told["error"] is None


def test_a_payload_its_model_reads_is_no_error():
    model = models()["apator162"]
    told = only(model.tests[0].telegram.hex())
    assert (told["model"], told["error"]) == ("apator162", None)
    assert next(iter(told["fields"])) == "total_m3"
    assert told["records"]


def test_times_of_fields_are_written_as_times_of_records():
    told = only(models()["apatorna1"].tests[0].telegram.hex(), models()["apatorna1"].tests[0].key)
    times = [record["value"] for record in told["records"] if record["quantity"] == "datetime"]
    assert told["fields"]["meter_datetime"] in times


def test_a_layout_of_compact_frames_is_learnt_along_the_stream():
    records = bytes.fromhex("0413181E0000 01FD1707")
    full = build(STRANGER, records, header="none")
    layout = compact_frame(records)
    short = build(STRANGER, layout, header="none")
    short = short[:10] + b"\x79" + short[11:]
    using = decoding(shipped_layouts())
    lines = [short.hex(), full.hex(), short.hex()]
    answers = [answer(one, using) for line in lines for one in read_line(line)]
    assert [told.trouble and told.trouble.code for told in answers] == ["unknown_layout", None, None]


def test_a_wired_frame_that_names_no_meter_has_its_records():
    """The example printed in "The M-Bus: A Documentation", section 6.3.2."""
    told = only("68131368080573785634120A00E97E01000000350100003C16")
    assert (told["meter_id"], told["fields"]) == (None, {})
    assert [record["value"] for record in told["records"]] == [Decimal("0.001"), Decimal("0.135")]
    assert told["error"]["code"] == "unsupported_layer"


def test_a_key_may_come_with_the_telegram_or_for_all():
    encrypted = {"mode": 5, "encrypted": True, "verified": True}
    assert only(SEALED, KEY)["security"] == encrypted
    assert only(json.dumps({"telegram": SEALED, "key": KEY.hex()}))["security"] == encrypted
    assert only(json.dumps({"telegram": SEALED, "key": "FF" * 16}), KEY)["error"]["code"] == "wrong_key"


def test_without_a_key_the_headers_are_told():
    told = only(SEALED)
    assert told["meter_id"] == str(METER)
    assert told["security"] == {"mode": 5, "encrypted": True, "verified": False}
    assert (told["fields"], told["records"]) == ({}, [])
    assert told["error"] == {"code": "missing_key", "message": told["error"]["message"], "offset": 15}


def test_a_list_with_a_cut_record_keeps_the_good_ones_and_tells_the_first_fault():
    told = only(build(METER, VOLUME + bytes.fromhex("0413"), access=1, mode=0).hex())
    assert told["fields"] == {"total_m3": Decimal("7.704")}
    assert told["error"]["code"] == "truncated_record"


def test_times_have_minutes_unless_the_meter_gives_seconds():
    told = only(build(METER, MINUTES, access=1, mode=0).hex())
    assert told["records"][0]["value"] == "2022-12-06T13:42"
    assert told["fields"] == {"meter_datetime": "2022-12-06T13:42"}


UNKNOWN = {
    **dict.fromkeys(TOP[:7]),
    "fields": {},
    "records": [],
    "security": {"mode": None, "encrypted": None, "verified": None},
}


@pytest.mark.parametrize(
    "line",
    ["", "zz", "2", "{", "{}", '{"telegram": 5}', '{"telegram": "zz"}', "rtl_wmbus: a;b", "ą", "\udcff;"],
)
def test_what_holds_no_telegram_is_answered_with_all_keys_and_bad_hex(line):
    told = only(line)
    assert told.pop("error")["code"] == "bad_hex"
    assert told == UNKNOWN


def test_a_frame_the_receiver_calls_damaged_is_not_decoded():
    assert only(f"T1;0;1;;97;148;12345699;0x{PLAIN}")["error"]["code"] == "bad_crc"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (PLAIN[:-1], f"{len(PLAIN) - 1} digits, an odd number, so one is missing or too many"),
        ("", "an empty line"),
        ("zz", "'zz' is not a telegram in hexadecimal"),
        ("0x", "'0x' is not a telegram in hexadecimal"),
    ],
)
def test_what_is_wrong_with_hexadecimal_is_said(line, said):
    assert only(line)["error"]["message"].endswith(said)


@pytest.mark.parametrize(
    "form", [KEY.hex(), f"0x{KEY.hex()}", KEY.hex(":"), KEY.hex(" ").upper(), f" {KEY.hex()}\n"]
)
def test_a_key_may_be_written_in_many_ways(form):
    assert key_of(form) == KEY


def test_a_key_that_is_none_is_told_without_repeating_it():
    told = only(json.dumps({"telegram": PLAIN, "key": "s3cret"}))
    assert told["error"]["code"] == "bad_key"
    assert "s3cret" not in json.dumps(told, default=str)
    assert told["fields"] == {"total_m3": Decimal("7.704")}
    with pytest.raises(ValueError, match="32 hexadecimal digits") as wrong:
        key_of("s3cret")
    assert "s3cret" not in str(wrong.value)


def test_an_unknown_model_is_told_beside_what_the_standard_says():
    told = only(json.dumps({"telegram": PLAIN, "model": "nosuch"}))
    assert told["error"]["code"] == "unknown_model"
    assert told["model"] is None
    assert told["fields"] == {"total_m3": Decimal("7.704")}


@settings(max_examples=400, deadline=None)
@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(bytes.hex)
    | st.binary(max_size=30).map(lambda raw: json.dumps({"telegram": raw.hex(), "key": raw[:4].hex()}))
    | st.tuples(st.integers(0, len(PLAIN) - 1), st.sampled_from("0123456789abcdefx;")).map(
        lambda change: PLAIN[: change[0]] + change[1] + PLAIN[change[0] + 1 :]
    )
)
def test_every_line_gets_at_least_one_answer_with_every_key(line):
    answers = asked(line)
    assert answers
    assert all(list(one) == TOP for one in answers)


@pytest.mark.shared
def test_every_real_telegram_is_answered_as_one_line_with_every_key(shared_telegrams):
    lines = (shared_telegrams / "wmbus.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [only(line) for line in lines]
    assert all(list(one) == TOP for one in answers)
    good = sum(one["error"] is None for one in answers)
    print(f"{good} of {len(answers)} real telegrams answered without error")
    assert good >= 270


@pytest.mark.parametrize("of_the_line", [False, True])
def test_a_telegram_in_clear_is_refused_where_its_key_is_given_and_encryption_is_required(of_the_line):
    """The values are told beside the error; without a key nobody expects encryption."""
    sealed = build(METER, bytes.fromhex("0413181E0000"), mode=5, key=KEY).hex()
    given = Given(None if of_the_line else KEY, require_encryption=True)
    for frame, code in ((PLAIN, "not_encrypted"), (sealed, None)):
        line = json.dumps({"telegram": frame, "key": KEY.hex() if of_the_line else None})
        (one,) = read_line(line, given)
        for written in (json_line(answer(one)), *[DecodeStream(given).answer(line.encode())[0]] * 2):
            told = json.loads(written)
            assert (told["error"] and told["error"]["code"]) == code
            assert told["fields"] == {"total_m3": 7.704}
    (keyless,) = read_line(PLAIN, Given(require_encryption=True))
    assert answer(keyless).trouble is None


def test_in_a_stream_too_from_the_second_telegram_on():
    stream = DecodeStream(Given(KEY, require_encryption=True))
    told = [json.loads(stream.answer(PLAIN.encode())[0])["error"]["code"] for _ in range(3)]
    assert told == ["not_encrypted"] * 3
