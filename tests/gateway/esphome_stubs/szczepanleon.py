"""Options of version 5 of the wM-Bus component of SzczepanLeon as its documentation names them; no code."""

import esphome.codegen as cg
import esphome.config_validation as cv
from esphome import automation, pins

DEPENDENCIES = ["esp32", "spi"]
AUTO_LOAD = ["wmbus_common"]

PIN = pins.internal_gpio_input_pin_schema
Frame = cg.global_ns.class_("Frame")
FrameTrigger = cg.global_ns.class_("FrameTrigger", automation.Trigger.template(Frame))
BASE = cv.Schema(
    {
        cv.Required("cs_pin"): pins.internal_gpio_output_pin_schema,
        cv.Required("irq_pin"): PIN,
        cv.Optional("on_frame"): automation.validate_automation(
            {
                cv.GenerateID("trigger_id"): cv.declare_id(FrameTrigger),
                cv.Optional("mark_as_handled", default=False): cv.boolean,
            }
        ),
    }
)
SX = BASE.extend(
    {
        cv.Required("reset_pin"): pins.internal_gpio_output_pin_schema,
        cv.Optional("has_tcxo", default=True): cv.boolean,
        cv.Optional("rx_gain"): cv.one_of("BOOSTED", "POWER_SAVING", upper=True),
        cv.Optional("sync_mode"): cv.one_of("NORMAL", "ULTRA_LOW_LATENCY", upper=True),
    }
)
CONFIG_SCHEMA = cv.typed_schema(
    {
        "SX1262": SX.extend({cv.Required("busy_pin"): PIN, cv.Optional("rf_switch"): cv.boolean}),
        "SX1276": SX,
        "CC1101": BASE.extend({cv.Optional("frequency"): cv.frequency}),
    },
    key="radio_type",
    upper=True,
)
