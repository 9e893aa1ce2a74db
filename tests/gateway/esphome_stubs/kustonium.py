"""Options of the raw-only wM-Bus component as its documentation names them; makes no code."""

import esphome.config_validation as cv
from esphome import pins

DEPENDENCIES = ["esp32", "spi", "mqtt"]
AUTO_LOAD = ["wmbus_common"]

PIN = pins.internal_gpio_input_pin_schema
SX = cv.Schema(
    {
        cv.Required("cs_pin"): pins.internal_gpio_output_pin_schema,
        cv.Required("reset_pin"): pins.internal_gpio_output_pin_schema,
        cv.Required("irq_pin"): PIN,
        cv.Optional("has_tcxo", default=False): cv.boolean,
        cv.Optional("rx_gain"): cv.one_of("boosted", "power_saving", lower=True),
        cv.Optional("frequency"): cv.float_range(300, 928),
        cv.Required("topic_name"): cv.All(cv.string_strict, cv.Length(1, 64)),
        cv.Optional("listen_mode", default="both"): cv.one_of("t1", "c1", "s1", "both", lower=True),
    }
)
CONFIG_SCHEMA = cv.typed_schema(
    {
        "SX1262": SX.extend({cv.Required("busy_pin"): PIN, cv.Optional("dio2_rf_switch"): cv.boolean}),
        "SX1276": SX.extend({cv.Optional("tcxo_pin"): pins.internal_gpio_output_pin_schema}),
        "CC1101": cv.Schema(
            {
                cv.Required("cs_pin"): pins.internal_gpio_output_pin_schema,
                cv.Required("gdo0_pin"): PIN,
                cv.Required("gdo2_pin"): PIN,
                cv.Required("cc1101_allow_experimental"): cv.boolean,
                cv.Required("topic_name"): cv.string_strict,
                cv.Optional("listen_mode", default="both"): cv.one_of("t1", "c1", "s1", "both", lower=True),
            }
        ),
    },
    key="radio_type",
)
