"""Dense series in InfluxDB or VictoriaMetrics beside the SQL store (decision 0009)."""
