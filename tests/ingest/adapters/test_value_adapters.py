"""Values somebody decoded before they reached us: wmbusmeters, LoRaWAN network servers, the field map."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ingest.adapters.mapping import FieldMap, FieldValue
from ingest.routes import Options, Route
from metering.errors import InvalidValue
from metering.reading import Register
from metering.uplink import ClockSource, FrameUplink, MeterValue, PartUplink, PulseUplink, ValueUplink

VOLUME = Register("volume")
EUI = "0102030405060708"


# --- wmbusmeters ---------------------------------------------------------------------------------


def telegram(**more) -> dict[str, object]:
    said = {"media": "cold water", "meter": "multical21", "name": "tap", "id": "7634879a"}
    return {**said, "total_m3": 6.408, "timestamp": "2026-01-02T03:04:05Z", **more}


def test_a_telegram_of_wmbusmeters_gives_exact_values_at_its_time(reader):
    said = reader("wmbusmeters").one(telegram(rssi_dbm=-77))
    assert (said.device, said.values) == ("7634879A", (MeterValue(VOLUME, Decimal("6.408"), "m3"),))
    assert said.reception.heard_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (said.reception.clock, said.reception.rssi_dbm) == (ClockSource.RTC, -77)


@pytest.mark.parametrize("key", ["target_date", "target_datetime"])
def test_a_due_date_value_has_the_meter_s_local_date_or_is_left_out(reader, key):
    dated = reader("wmbusmeters").one(telegram(target_m3=6, **{key: "2026-01-01"}))
    assert dated.values[1] == MeterValue(
        Register("volume", storage=1), Decimal(6), "m3", datetime.fromisoformat("2026-01-01")
    )
    assert len(reader("wmbusmeters").one(telegram(target_m3=6)).values) == 1


@pytest.mark.parametrize("timestamp", [None, "", "2026-01-02 03:04:05", "1970-01-01T00:00:05Z", 7])
def test_a_time_of_wmbusmeters_that_cannot_be_is_that_of_reception(reader, timestamp):
    assert reader("wmbusmeters").one(telegram(timestamp=timestamp)).reception.heard_at == reader("hex").now


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"error": "decryption failed, please check key"}, "decoder_error"),
        ({"id": 76348799}, "bad_field"),
        ({"id": "7634"}, "bad_field"),
        ({"total_m3": None}, "no_value"),
        ({"total_m3": "full"}, "bad_number"),
        ({"total_m3": True}, "bad_number"),
        ({"total_m3": [1]}, "bad_number"),
        ({"total_m3": 1e30}, "bad_number"),
    ],
)
def test_what_wmbusmeters_could_not_decode_is_told(reader, wrong, reason):
    assert reader("wmbusmeters").reasons(telegram(**wrong)) == [reason]


# --- LoRaWAN -------------------------------------------------------------------------------------


def chirpstack(payload: bytes, port: int = 85, **more) -> dict[str, object]:
    info = {"deviceInfo": {"devEui": EUI.upper()}, "devAddr": "01AB23CD", "fCnt": 341, "fPort": port}
    return {**info, "time": "2026-01-02T03:04:05Z", "data": base64.b64encode(payload).decode(), **more}


def things(payload: bytes, port: int = 85, **more) -> dict[str, object]:
    message = {"f_port": port, "f_cnt": 341, "frm_payload": base64.b64encode(payload).decode()}
    message |= {"received_at": "2026-01-02T03:04:05.123456789Z", **more}
    ids = {"device_id": "m1", "dev_eui": EUI, "dev_addr": "01AB23CD"}
    return {"end_device_ids": ids, "received_at": "2026-01-02T09:00:00Z", "uplink_message": message}


PULSES = bytes.fromhex("01755c05c800010000")


@pytest.mark.parametrize(("server", "event"), [("chirpstack", chirpstack), ("the_things_stack", things)])
def test_an_uplink_is_numbered_by_its_frame_counter_and_dated_by_the_network(reader, server, event):
    said = reader(server).one(event(PULSES), codec="milesight_em300_di")
    assert (said.channel, said.total) == (EUI, 256)
    assert said.reception.sequence == ("roof", f"{EUI}-01ab23cd", 341)
    assert said.reception.heard_at.replace(microsecond=0) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert said.reception.clock is ClockSource.NTP


def test_the_things_stack_leaves_out_what_is_zero(reader):
    event = things(PULSES)
    del event["uplink_message"]["f_cnt"]
    assert reader("the_things_stack").one(event, codec="milesight_em300_di").reception.seq == 0


@pytest.mark.parametrize(("server", "event"), [("chirpstack", chirpstack), ("the_things_stack", things)])
def test_an_uplink_of_mac_commands_says_nothing(reader, server, event):
    assert reader(server)(event(b"", 0), codec="milesight_em300_di") == []


@pytest.mark.parametrize(
    ("server", "topic"),
    [("chirpstack", "application/a/device/b/event/join"), ("the_things_stack", "v3/a@b/devices/c/join")],
)
def test_other_events_of_network_servers_hold_no_reading(reader, server, topic):
    assert reader(server)({"time": "x"}, topic) == []


def test_a_payload_its_codec_refuses_keeps_its_number(reader):
    [item] = reader("chirpstack").items(chirpstack(b"\xff\xff"), codec="milesight_em300_di")
    assert (item.said.reason, item.sequence) == ("bad_payload", ("roof", f"{EUI}-01ab23cd", 341))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"deviceInfo": {}}, "bad_field"),
        ({"deviceInfo": {"devEui": "12"}}, "bad_field"),
        ({"data": "%%%"}, "bad_payload"),
        ({"fPort": "x"}, "bad_number"),
        ({"joinServerContext": {"sessionKeyId": "1"}}, "encrypted"),
    ],
)
def test_an_event_that_lacks_what_is_needed_is_told(reader, wrong, reason):
    assert reader("chirpstack").reasons(chirpstack(PULSES) | wrong) == [reason]


@pytest.mark.parametrize("server", ["chirpstack", "the_things_stack"])
def test_a_lorawan_route_needs_a_codec(server):
    with pytest.raises(InvalidValue, match=r"needs one of: adeunis_pulse, axioma_w1"):
        Route("a/+", server)
    with pytest.raises(InvalidValue, match="codec 'x' is not known"):
        Route("a/+", server, options=Options(codec="x"))


def test_a_history_gives_items_with_times_of_their_own_and_one_number(reader):
    old = (1767319200).to_bytes(4, "little") + bytes(5) + (250).to_bytes(4, "little")
    now, before = reader("chirpstack")(chirpstack(PULSES[3:] + b"\x20\xce" + old), codec="milesight_em300_di")
    assert (now.total, before.total) == (256, 250)
    assert before.reception.heard_at == datetime(2026, 1, 2, 2, tzinfo=UTC)
    assert before.reception.history
    assert now.reception.sequence == ("roof", f"{EUI}-01ab23cd", 341)
    assert before.reception.sequence is None


def test_a_history_dated_by_a_clock_that_was_never_set_is_refused_whole(reader):
    old = (77).to_bytes(4, "little") + bytes(9)
    assert reader("chirpstack").reasons(
        chirpstack(PULSES[3:] + b"\x20\xce" + old), codec="milesight_em300_di"
    ) == ["bad_time"]


def test_a_codec_of_values_gives_one_item_under_the_device_s_eui(reader):
    total = bytes(3) + (7710).to_bytes(4, "little")
    said = reader("chirpstack").one(chirpstack(total, 20), codec="izar_to_lorawan")
    assert isinstance(said, ValueUplink)
    assert (said.device, said.values) == (EUI, (MeterValue(VOLUME, Decimal("7.71"), "m3"),))


def test_telegrams_over_lorawan_are_frames_with_the_bridge_s_time_or_parts_of_one(reader):
    whole = bytes([3]) + (1767319200).to_bytes(5, "big") + bytes([71]) + b"frame"
    said = reader("chirpstack").one(chirpstack(whole, 102), codec="lobaro")
    assert isinstance(said, FrameUplink)
    assert (said.frame, said.reception.rssi_dbm, said.reception.history) == (b"frame", -71, True)
    assert said.reception.heard_at == datetime(2026, 1, 2, 2, tzinfo=UTC)
    part = reader("chirpstack").one(chirpstack(b"fra", 12), codec="lobaro")
    assert isinstance(part, PartUplink)
    assert (part.first, part.last, part.payload) == (True, False, b"fra")
    assert reader("chirpstack").reasons(chirpstack(b"fra", 12, devAddr=""), codec="lobaro") == ["bad_field"]
    assert isinstance(reader("chirpstack").one(chirpstack(PULSES), codec="milesight_em300_di"), PulseUplink)


# --- the field map -------------------------------------------------------------------------------

WARSAW = ZoneInfo("Europe/Warsaw")
TOTAL = FieldValue("total", "volume", "L")


def mapped(reader, payload, zone=None, **fields):
    options = {"fields": FieldMap(**{"values": (TOTAL,), "device": "id", **fields})}
    return reader("field_map")(payload, **options, **({"zone": zone} if zone else {}))


def test_values_come_from_paths_in_json_in_the_unit_the_map_says(reader):
    [said] = mapped(
        reader,
        {"d": {"who": "A-17", "v": [{"total": "1234.5"}]}},
        device="d.who",
        values=(FieldValue("d.v.0.total", "volume", "L"), FieldValue("d.v.0.total", "volume/s1", "m3")),
    )
    assert [(one.register.key, str(one.value), one.unit) for one in said.values] == [
        ("volume", "1.2345", "m3"),
        ("volume/s1", "1234.5", "m3"),
    ]
    assert (said.device, said.reception.heard_at) == ("A-17", reader("hex").now)


def test_rows_of_json_are_items_and_a_bad_one_spoils_only_itself(reader):
    rows = {"rows": [{"id": 7, "total": 1}, {"id": 8}, {"total": 3}, 5]}
    said = mapped(reader, rows, rows="rows")
    assert [getattr(one, "reason", "") for one in said] == ["", "bad_number", "bad_field", "bad_number"]


@pytest.mark.parametrize(
    ("header", "line", "device", "at"),
    [("id;total;at", "A;7;02.01.2026 03:00", "id", "total"), ("", "A;7;02.01.2026 03:00", "1", "2")],
)
def test_rows_of_csv_are_items_by_column_name_or_number(reader, header, line, device, at):
    [said] = mapped(
        reader,
        f"{header}\n{line}\n".lstrip(),
        WARSAW,
        format="csv",
        header=bool(header),
        device=device,
        time="at" if header else "3",
        time_format="%d.%m.%Y %H:%M",
        values=(FieldValue(at, "volume", "L"),),
    )
    assert (said.device, str(said.values[0].value)) == ("A", "0.007")
    assert said.reception.heard_at == datetime(2026, 1, 2, 2, tzinfo=UTC)
    assert said.reception.history


def test_what_a_network_server_decoded_itself_is_read_by_a_map(reader):
    event = things(b"", decoded_payload={"total_l": 7710})
    [said] = mapped(
        reader,
        event,
        device="end_device_ids.dev_eui",
        time="uplink_message.received_at",
        values=(FieldValue("uplink_message.decoded_payload.total_l", "volume", "L"),),
    )
    assert (said.device, said.values[0].value) == (EUI, Decimal("7.71"))
    assert said.reception.heard_at == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "said"),
    [("rfc3339", "2026-01-02T03:00:00+01:00"), ("unix", 1767319200), ("unix", "1767319200000")],
)
def test_times_with_a_zone_need_none(reader, form, said):
    [one] = mapped(reader, {"id": "A", "total": 1, "t": said}, time="t", time_format=form)
    assert one.reception.heard_at == datetime(2026, 1, 2, 2, tzinfo=UTC)


@pytest.mark.parametrize("said", ["yesterday", None, 7, "2027-01-02T03:00:00Z", "1970-01-02T03:00:00Z"])
def test_a_time_that_cannot_be_refuses_the_row(reader, said):
    [one] = mapped(reader, {"id": "A", "total": 1, "t": said}, time="t")
    assert one.reason == "bad_time"


@pytest.mark.parametrize(
    "wrong",
    [
        {"values": ()},
        {"device": ""},
        {"device": "id", "fixed_device": "A"},
        {"separator": ";;"},
        {"format": "csv", "rows": "a"},
        {"format": "csv", "header": False},
    ],
)
def test_a_map_that_cannot_be_is_refused(wrong):
    with pytest.raises(InvalidValue):
        FieldMap(**{"values": (TOTAL,), "device": "id", **wrong})


@pytest.mark.parametrize(("register", "unit"), [("volume", "kWh"), ("volume", "gallons"), ("", "L")])
def test_a_value_is_never_without_a_unit_that_fits_its_register(register, unit):
    with pytest.raises(InvalidValue):
        FieldValue("a", register, unit)


def test_a_route_says_no_more_and_no_less_than_its_adapter_needs():
    with pytest.raises(InvalidValue, match="needs fields"):
        Route("a/+", "field_map")
    local = FieldMap(values=(TOTAL,), device="id", time="t", time_format="%H")
    with pytest.raises(InvalidValue, match="need a zone"):
        Route("a/+", "field_map", options=Options(fields=local))
    with pytest.raises(InvalidValue, match="knows no unit"):
        Route("a/+", "hex", options=Options(unit="L"))
