"""Stands for the component of this name when settings are checked: it takes no options we write."""

import esphome.config_validation as cv

CONFIG_SCHEMA = cv.Schema({})
