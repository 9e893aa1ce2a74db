"""Every real telegram, layer by layer: what decodes, what is told apart and why."""

import json
from collections import Counter
from pathlib import Path

import pytest

from decoders import DecodeError, Telegram, decode, peek

pytestmark = pytest.mark.shared

WITHOUT_RECORDS = {
    "rfmtx1": "unsupported_mode",  # mode 16
    "apator162": "bad_record",  # a payload of its own behind 2F2F
    "bfw240radio": "bad_record",  # a payload of its own in mode 0
}
"""wmbus: model -> code of the one telegram each that gives nothing."""

WITH_FAULTS = {"bfw240radio": 2}
"""wmbus: model -> telegrams that end in a fault: payloads of their own."""

INDEPENDENT_ERRORS = {
    "Decryption Test - Wrong Key": "wrong_key",
    "multical21 compact, AES-CTR": "wrong_key",  # its payload CRC is wrong as published
}

WIRED_ERRORS = {
    "manual_frame2": "unsupported_layer",  # fixed data structure: names no manufacturer
    "invalid_length2": "truncated",  # fixed data structure, one byte short
    "manual_frame5": "not_meter_data",  # a command
    "buffer_too_long": "not_meter_data",  # application errors
    "too_many_records": "not_meter_data",
    "too_many_vifes": "not_meter_data",
    "unspecified_error": "not_meter_data",
    "too_short_header": "truncated",
}


def rows(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def keys_of(row: dict):
    return lambda _: (bytes.fromhex(row["key"]),) if row.get("key") else ()


def outcome(row: dict) -> Telegram | DecodeError:
    try:
        return decode(bytes.fromhex(row["telegram"]), keys_of(row))
    except DecodeError as error:
        return error


def kind(found: Telegram | DecodeError) -> str:
    if isinstance(found, DecodeError):
        return found.code
    return "faults" if found.faults else "clean"


def count(folder: Path, name: str) -> Counter[str]:
    counts = Counter(kind(outcome(row)) for row in rows(folder, name))
    print(f"\n{name}: {sum(counts.values())} telegrams: {dict(counts)}")
    return counts


def test_wmbus_telegrams_by_outcome(shared_telegrams):
    counts = count(shared_telegrams, "wmbus")
    assert counts["manufacturer_specific"] == 36
    assert counts["unknown_layout"] == 11
    assert counts["clean"] >= 227
    assert counts["clean"] + counts["faults"] >= 231


def test_wmbus_telegrams_that_give_nothing_are_known_by_name(shared_telegrams):
    told = {"manufacturer_specific", "unknown_layout", "clean", "faults"}
    found = [(row["driver"], kind(outcome(row))) for row in rows(shared_telegrams, "wmbus")]
    assert dict(pair for pair in found if pair[1] not in told) == WITHOUT_RECORDS
    assert sum(code not in told for _, code in found) == len(WITHOUT_RECORDS)
    assert Counter(driver for driver, code in found if code == "faults") == WITH_FAULTS


def test_every_identity_is_that_of_the_corpus(shared_telegrams):
    """Serial as printed on the meter; Diehl's swapped addresses and wired meters among them."""
    seen, other = 0, []
    for row in rows(shared_telegrams, "wmbus"):
        found = peek(bytes.fromhex(row["telegram"]))
        if printed := (row["expected"] or {}).get("id"):
            seen += 1
            other += [row["driver"]] * (found.meter.serial != printed.upper())
    print(f"\nidentities compared: {seen}")
    assert seen >= 270
    assert other == ["qheat"]  # a radio adapter without long header; the meter's number is in a record


def test_keys_of_the_corpus_open_and_prove(shared_telegrams):
    opened = Counter()
    for name in ("wmbus", "independent"):
        for row in rows(shared_telegrams, name):
            found = outcome(row)
            if isinstance(found, Telegram) and found.security.encrypted:
                assert found.security.verified
                assert found.security.authenticated == (found.security.mode == 7)
                opened[name, found.security.mode, found.security.link] += 1
    print(f"\nopened (file, mode, link): {dict(opened)}")
    assert opened == {
        ("wmbus", 2, 0): 1,
        ("wmbus", 5, 0): 14,
        ("wmbus", 0, 1): 1,
        ("independent", 5, 0): 5,
        ("independent", 7, 0): 2,
        ("independent", 0, 1): 1,
    }


def test_wrong_keys_open_nothing(shared_telegrams):
    """Every telegram that some key opens is tried with two others."""
    wrong = (bytes(range(16, 32)), b"\xa5" * 16)
    told = Counter()
    for name in ("wmbus", "independent"):
        for row in rows(shared_telegrams, name):
            found = outcome(row)
            if isinstance(found, Telegram) and found.security.encrypted:
                keys = [key[: len(row["key"]) // 2] for key in wrong]
                with pytest.raises(DecodeError) as caught:
                    decode(bytes.fromhex(row["telegram"]), lambda _, keys=keys: keys)
                told[caught.value.code] += 1
                assert caught.value.code == "truncated" or caught.value.evidence == {"keys_tried": 2}
    assert told == {"wrong_key": 21, "bad_mac": 2, "truncated": 1}  # one whose L only the right key mends


def test_declared_but_plain_telegrams_are_recognised(shared_telegrams):
    """Most headers of modes 5 and 7 and of the link encryption stand before a payload that came decrypted."""
    plain = Counter()
    for row in rows(shared_telegrams, "wmbus"):
        found = outcome(row)
        if isinstance(found, Telegram) and not found.security.encrypted and found.security.verified:
            plain[found.security.mode, found.security.link] += 1
    assert plain[5, 0] >= 67
    assert plain[7, 0] == 13
    assert plain[0, 1] >= 18


def test_independent_telegrams(shared_telegrams):
    count(shared_telegrams, "independent")
    found = {}
    for row in rows(shared_telegrams, "independent"):
        code = kind(outcome(row))
        found.setdefault(code, []).append(row["name"])
    for name, code in INDEPENDENT_ERRORS.items():
        assert name in found[code]
    assert len(found["clean"]) == 19
    assert len(found["manufacturer_specific"]) == 10
    assert len(found["faults"]) == len(found["missing_key"]) == len(found["unknown_layout"]) == 1


def test_block_checksums_of_real_frames_are_verified(shared_telegrams):
    """Frames that came with their checksums decode to the frame without them."""
    stripped = 0
    for row in rows(shared_telegrams, "independent"):
        if row.get("telegram_without_dll_crc"):
            found = peek(bytes.fromhex(row["telegram"]))
            assert found.frame.hex().upper() == row["telegram_without_dll_crc"].upper()
            stripped += 1
    assert stripped == 8


def test_wired_telegrams(shared_telegrams):
    count(shared_telegrams, "wired")
    found = {row["name"]: kind(outcome(row)) for row in rows(shared_telegrams, "wired")}
    assert {name: code for name, code in found.items() if code not in {"clean", "faults"}} == WIRED_ERRORS


def test_wired_identities_agree_with_another_decoder(shared_telegrams):
    seen = 0
    for row in rows(shared_telegrams, "wired"):
        slave, found = row.get("slave"), outcome(row)
        if slave and isinstance(found, Telegram):
            assert (found.meter.serial, found.meter.manufacturer) == (
                slave["Id"].zfill(8),
                slave["Manufacturer"],
            )
            assert found.meter.version == f"{int(slave['Version']):02x}"
            assert (found.access, found.status) == (int(slave["AccessNumber"]), int(slave["Status"], 16))
            seen += 1
    assert seen == 39  # of 44; five of them hold no telegram
