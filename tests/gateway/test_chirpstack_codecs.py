"""Codecs rendered for ChirpStack read in JavaScript what the service reads in Python."""

from __future__ import annotations

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_firmware_config.profile import profile_of, profiles_folder
from ingest.adapters.lorawan import codec_named
from ingest.codecs.content import Counter
from metering.uplink import BadUplink

CODEC_FOLDER = Path(str(profiles_folder())) / "chirpstack" / "codecs"
DEVICES = {name: board["codec"] for name, board in profile_of("chirpstack").boards.items()}
RUN = """
const fs = require("fs"), vm = require("vm");
const [script, file] = process.argv.slice(1);
const context = vm.createContext({});
vm.runInContext(fs.readFileSync(script, "utf8"), context);
const inputs = JSON.parse(fs.readFileSync(file, "utf8"));
const ask = (input) => vm.runInContext("decodeUplink(" + JSON.stringify(input) + ")", context);
console.log(JSON.stringify(inputs.map(ask)));
"""


def decoded(folder: Path, device: str, inputs: list[dict]) -> list[dict]:
    """What a codec makes of uplinks, in the engine that comes with Playwright."""
    found = find_spec("playwright")
    node = Path(found.origin).parent / "driver" / "node" if found and found.origin else Path("node")
    if not node.exists():
        pytest.skip("no JavaScript engine: playwright is not installed")
    (folder / "inputs.json").write_text(json.dumps(inputs))
    done = subprocess.run(
        [node, "-e", RUN, CODEC_FOLDER / f"{device}.js", folder / "inputs.json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("device", DEVICES)
def test_a_codec_passes_the_tests_it_comes_with(device: str, tmp_path: Path):
    cases = json.loads((CODEC_FOLDER / f"test_decode_{device}.json").read_text())
    assert decoded(tmp_path, device, [case["input"] for case in cases]) == [
        case["expected"] for case in cases
    ]


PORTS = {"em300-di": 85, "adeunis-pulse": 1, "izar-to-lorawan": 20, "qalcosonic-w1": 100}
SHAPES: dict[str, st.SearchStrategy[bytes]] = {
    "em300-di": st.lists(
        st.builds(
            bytes.__add__,
            st.sampled_from(
                [bytes.fromhex(kind) for kind in ("0175", "0367", "0468", "0500", "05c8", "20ce")]
            ),
            st.binary(min_size=1, max_size=13),
        ),
        max_size=3,
    ).map(b"".join)
    | st.lists(st.binary(min_size=4, max_size=4).map(lambda four: b"\x05\xc8" + four), max_size=3).map(
        b"".join
    ),
    "adeunis-pulse": st.binary(min_size=4, max_size=13).map(lambda more: b"\x5a\x20" + more),
    "izar-to-lorawan": st.binary(min_size=6, max_size=8),
    "qalcosonic-w1": st.binary(min_size=50, max_size=50).map(lambda more: b"\x01" + more[:-1] + b"\x00")
    | st.binary(min_size=50, max_size=51),
}


@settings(max_examples=15, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("device", DEVICES)
def test_a_codec_reads_what_the_service_reads(
    device: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    """Same totals, same refusals."""
    payloads = data.draw(st.lists(SHAPES[device], max_size=30))
    port = PORTS[device]
    asked = [{"fPort": port, "bytes": list(payload)} for payload in payloads]
    ours = [reading(DEVICES[device], port, payload) for payload in payloads]
    theirs = decoded(tmp_path_factory.mktemp("codec"), device, asked)
    assert [told(one) for one in theirs] == ours


def reading(codec: str, port: int, payload: bytes) -> int | str | None:
    """The newest total the service reads; litres or pulses."""
    try:
        found = list(codec_named(codec)(port, payload))
    except BadUplink:
        return "refused"
    live = [one for one in found if not (isinstance(one, Counter) and one.at is not None)]
    if not live:
        return None
    last = live[-1]
    return last.total if isinstance(last, Counter) else int(last.value.scaleb(3))


def told(answer: dict) -> int | str | None:
    if "errors" in answer:
        return "refused"
    return answer["data"].get("pulses", answer["data"].get("total_l"))
