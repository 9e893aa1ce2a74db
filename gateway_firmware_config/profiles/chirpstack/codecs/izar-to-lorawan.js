// wmbus-izar-to-lorawan: port 20 is three status bytes and the total in litres (low byte first), port 3 a battery.
function decodeUplink(input) {
  const bytes = input.bytes;
  if (input.fPort === 3) {
    if (bytes.length !== 1) return { errors: ["a battery is one byte"] };
    return { data: { battery_v: (bytes[0] * 3) / 255 } };
  }
  if (input.fPort !== 20 || bytes.length !== 7) return { errors: ["expected 7 bytes on port 20"] };
  const litres = ((bytes[6] * 256 + bytes[5]) * 256 + bytes[4]) * 256 + bytes[3];
  return { data: { total_l: litres, status: Array.from(bytes.slice(0, 3)) } };
}
