-- A database of schema 13 with a little of everything, as `sqlite3 nurt.db .dump` writes it. Never edited:
-- what once was written must be readable for ever.
BEGIN TRANSACTION;
CREATE TABLE accounts (
	gateway INTEGER NOT NULL, 
	last_heard BIGINT NOT NULL, 
	received BIGINT NOT NULL, 
	stored BIGINT NOT NULL, 
	duplicate BIGINT NOT NULL, 
	held BIGINT NOT NULL, 
	"foreign" BIGINT NOT NULL, 
	quarantined BIGINT NOT NULL, 
	CONSTRAINT pk_accounts PRIMARY KEY (gateway), 
	CONSTRAINT fk_accounts_gateway FOREIGN KEY(gateway) REFERENCES gateways (id), 
	CONSTRAINT ck_accounts_sum CHECK (received = stored + duplicate + held + "foreign" + quarantined)
);
INSERT INTO "accounts" VALUES(1,1772366490000000,5,2,0,1,1,1);
INSERT INTO "accounts" VALUES(2,1772366402000000,1,0,1,0,0,0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0013');
CREATE TABLE batches (
	target TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	file TEXT NOT NULL, 
	content BLOB NOT NULL, 
	manifest BLOB NOT NULL, 
	keys TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	sent_at BIGINT, 
	answered_at BIGINT, 
	CONSTRAINT pk_batches PRIMARY KEY (target, number)
);
CREATE TABLE billing_cuts (
	service_point TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	cause TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	entered_at BIGINT NOT NULL, 
	CONSTRAINT pk_billing_cuts PRIMARY KEY (service_point, at), 
	CONSTRAINT fk_billing_cuts_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
CREATE TABLE billing_decisions (
	id INTEGER NOT NULL, 
	exception INTEGER NOT NULL, 
	action TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	said BLOB NOT NULL, 
	CONSTRAINT pk_billing_decisions PRIMARY KEY (id), 
	CONSTRAINT fk_billing_decisions_exception FOREIGN KEY(exception) REFERENCES billing_exceptions (id)
);
CREATE TABLE billing_documents (
	id INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	number TEXT NOT NULL, 
	as_of BIGINT NOT NULL, 
	customer TEXT NOT NULL, 
	contract TEXT NOT NULL, 
	service_point TEXT NOT NULL, 
	read TEXT, 
	issued_on DATE, 
	due_on DATE, 
	amount TEXT, 
	currency TEXT NOT NULL, 
	corrects TEXT NOT NULL, 
	content BLOB NOT NULL, 
	file BLOB, 
	CONSTRAINT pk_billing_documents PRIMARY KEY (id), 
	CONSTRAINT uq_billing_documents_source_kind_number_as_of UNIQUE (source, kind, number, as_of)
);
CREATE TABLE billing_exceptions (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	service_point TEXT NOT NULL, 
	register TEXT NOT NULL, 
	period TEXT NOT NULL, 
	starts BIGINT NOT NULL, 
	ends BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	sentence TEXT NOT NULL, 
	evidence BLOB NOT NULL, 
	read TEXT, 
	state TEXT NOT NULL, 
	opened_at BIGINT NOT NULL, 
	settled_at BIGINT, 
	CONSTRAINT fk_billing_exceptions_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
CREATE TABLE billing_inbox (
	source TEXT NOT NULL, 
	message TEXT NOT NULL, 
	sha256 BLOB NOT NULL, 
	received_at BIGINT NOT NULL, 
	CONSTRAINT pk_billing_inbox PRIMARY KEY (source, message)
);
CREATE TABLE billing_marks (
	source TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	until BIGINT NOT NULL, 
	CONSTRAINT pk_billing_marks PRIMARY KEY (source, kind)
);
CREATE TABLE billing_meters (
	meter INTEGER NOT NULL, 
	digits INTEGER, 
	q3_m3h TEXT, 
	legal_until DATE, 
	CONSTRAINT pk_billing_meters PRIMARY KEY (meter), 
	CONSTRAINT fk_billing_meters_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
CREATE TABLE billing_reads (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	service_point TEXT NOT NULL, 
	register TEXT NOT NULL, 
	period TEXT NOT NULL, 
	starts BIGINT NOT NULL, 
	ends BIGINT NOT NULL, 
	cause TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	contract TEXT, 
	volume TEXT NOT NULL, 
	actual BOOLEAN NOT NULL, 
	record BLOB NOT NULL, 
	taken_at BIGINT NOT NULL, 
	"by" TEXT NOT NULL, 
	CONSTRAINT uq_billing_reads_key UNIQUE ("key"), 
	CONSTRAINT fk_billing_reads_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
CREATE TABLE check_findings (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	meter INTEGER NOT NULL, 
	register TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	until BIGINT, 
	value TEXT, 
	told TEXT NOT NULL, 
	severity TEXT NOT NULL, 
	sentence TEXT NOT NULL, 
	cim TEXT NOT NULL, 
	espi INTEGER NOT NULL, 
	evidence BLOB NOT NULL, 
	found_at BIGINT NOT NULL, 
	CONSTRAINT fk_check_findings_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT uq_check_findings_meter_at_rule_register_told UNIQUE (meter, at, rule, register, told)
);
CREATE TABLE check_intervals (
	meter INTEGER NOT NULL, 
	step TEXT NOT NULL, 
	until BIGINT NOT NULL, 
	CONSTRAINT pk_check_intervals PRIMARY KEY (meter), 
	CONSTRAINT fk_check_intervals_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
CREATE TABLE check_marks (
	meter INTEGER NOT NULL, 
	newest BIGINT NOT NULL, 
	arrived BIGINT NOT NULL, 
	swept BIGINT NOT NULL, 
	judged BIGINT NOT NULL, 
	accepted_at BIGINT, 
	accepted TEXT, 
	doubted_at BIGINT, 
	doubted TEXT, 
	doubts INTEGER NOT NULL, 
	raised BIGINT NOT NULL, 
	CONSTRAINT pk_check_marks PRIMARY KEY (meter), 
	CONSTRAINT fk_check_marks_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
CREATE TABLE class_usage (
	class TEXT NOT NULL, 
	until BIGINT NOT NULL, 
	m3_per_day TEXT NOT NULL, 
	points INTEGER NOT NULL, 
	CONSTRAINT pk_class_usage PRIMARY KEY (class, until)
);
CREATE TABLE consents (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	contract TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	given BOOLEAN NOT NULL, 
	at BIGINT NOT NULL, 
	"by" TEXT NOT NULL, 
	text TEXT NOT NULL
);
CREATE TABLE contracts (
	number TEXT NOT NULL, 
	customer TEXT NOT NULL, 
	tariff TEXT NOT NULL, 
	CONSTRAINT pk_contracts PRIMARY KEY (number), 
	CONSTRAINT fk_contracts_customer FOREIGN KEY(customer) REFERENCES customers (code)
);
CREATE TABLE counters (
	name TEXT NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_counters PRIMARY KEY (name)
);
INSERT INTO "counters" VALUES('telegram',3);
CREATE TABLE customers (
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	class TEXT NOT NULL, 
	language TEXT NOT NULL, 
	email TEXT NOT NULL, 
	CONSTRAINT pk_customers PRIMARY KEY (code)
);
CREATE TABLE deductions (
	service_point TEXT NOT NULL, 
	sub TEXT NOT NULL, 
	valid_from BIGINT NOT NULL, 
	valid_to BIGINT, 
	CONSTRAINT pk_deductions PRIMARY KEY (service_point, sub, valid_from), 
	CONSTRAINT fk_deductions_service_point FOREIGN KEY(service_point) REFERENCES service_points (id), 
	CONSTRAINT fk_deductions_sub FOREIGN KEY(sub) REFERENCES service_points (id)
);
CREATE TABLE details (
	id INTEGER NOT NULL, 
	meter INTEGER NOT NULL, 
	register INTEGER NOT NULL, 
	measured_at BIGINT NOT NULL, 
	text TEXT NOT NULL, 
	telegram INTEGER, 
	CONSTRAINT pk_details PRIMARY KEY (id), 
	CONSTRAINT uq_details_telegram_meter_register_measured_at_text UNIQUE (telegram, meter, register, measured_at, text), 
	CONSTRAINT fk_details_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT fk_details_register FOREIGN KEY(register) REFERENCES registers (id), 
	CONSTRAINT fk_details_telegram FOREIGN KEY(telegram) REFERENCES telegrams (id)
);
INSERT INTO "details" VALUES(1,1,4,1772366400000000,'2026-03-01',1);
CREATE TABLE devices (
	gateway TEXT NOT NULL, 
	name TEXT NOT NULL, 
	valid_from BIGINT NOT NULL, 
	valid_to BIGINT, 
	meter INTEGER NOT NULL, 
	CONSTRAINT pk_devices PRIMARY KEY (gateway, name, valid_from), 
	CONSTRAINT fk_devices_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
INSERT INTO "devices" VALUES('','0102030405060708',1772366400000000,NULL,1);
CREATE TABLE finding_marks (
	meter TEXT NOT NULL, 
	version TEXT NOT NULL, 
	readings INTEGER NOT NULL, 
	until BIGINT NOT NULL, 
	arrived BIGINT NOT NULL, 
	digest TEXT NOT NULL, 
	CONSTRAINT pk_finding_marks PRIMARY KEY (meter)
);
CREATE TABLE finding_notices (
	"key" TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	finding INTEGER NOT NULL, 
	tier TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_at BIGINT NOT NULL, 
	error TEXT NOT NULL, 
	CONSTRAINT pk_finding_notices PRIMARY KEY ("key"), 
	CONSTRAINT fk_finding_notices_finding FOREIGN KEY(finding) REFERENCES findings (id)
);
CREATE TABLE finding_verdicts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	finding INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT fk_finding_verdicts_finding FOREIGN KEY(finding) REFERENCES findings (id)
);
CREATE TABLE findings (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject TEXT NOT NULL, 
	family TEXT NOT NULL, 
	name TEXT NOT NULL, 
	tier INTEGER NOT NULL, 
	raised_at BIGINT NOT NULL, 
	onset BIGINT NOT NULL, 
	cleared_at BIGINT, 
	state TEXT NOT NULL, 
	tenancy TEXT NOT NULL, 
	muted TEXT NOT NULL, 
	kept_at BIGINT NOT NULL, 
	body TEXT NOT NULL
);
CREATE TABLE gateway_words (
	gateway INTEGER NOT NULL, 
	leaf TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_gateway_words PRIMARY KEY (gateway, leaf), 
	CONSTRAINT fk_gateway_words_gateway FOREIGN KEY(gateway) REFERENCES gateways (id)
)
 WITHOUT ROWID

;
CREATE TABLE gateways (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	online BOOLEAN, 
	state_at BIGINT, 
	boot TEXT, alive_at BIGINT, 
	CONSTRAINT pk_gateways PRIMARY KEY (id), 
	CONSTRAINT uq_gateways_name UNIQUE (name)
);
INSERT INTO "gateways" VALUES(1,'roof',1,1772366400000000,'9f3a11c2',1772366500000000);
INSERT INTO "gateways" VALUES(2,'cellar',NULL,NULL,NULL,NULL);
CREATE TABLE hearings (
	day INTEGER NOT NULL, 
	meter INTEGER NOT NULL, 
	gateway INTEGER NOT NULL, 
	first_heard BIGINT NOT NULL, 
	last_heard BIGINT NOT NULL, 
	heard BIGINT NOT NULL, 
	measured BIGINT NOT NULL, 
	rssi_sum BIGINT NOT NULL, 
	rssi_min INTEGER, 
	rssi_max INTEGER, 
	CONSTRAINT pk_hearings PRIMARY KEY (day, meter, gateway), 
	CONSTRAINT fk_hearings_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT fk_hearings_gateway FOREIGN KEY(gateway) REFERENCES gateways (id)
)
 WITHOUT ROWID

;
INSERT INTO "hearings" VALUES(20513,1,1,1772366400000000,1772366460000000,2,2,-142,-71,-71);
INSERT INTO "hearings" VALUES(20513,1,2,1772366402000000,1772366402000000,1,1,-71,-71,-71);
INSERT INTO "hearings" VALUES(20513,2,1,1772366490000000,1772366490000000,1,1,-71,-71,-71);
CREATE TABLE identities (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	last_heard BIGINT, 
	CONSTRAINT pk_identities PRIMARY KEY (id), 
	CONSTRAINT uq_identities_name UNIQUE (name)
);
INSERT INTO "identities" VALUES(1,'KAM-76348799-1b-16',1772366460000000);
INSERT INTO "identities" VALUES(2,'ABC-00000001-01-07',1772366490000000);
CREATE TABLE installations (
	meter INTEGER NOT NULL, 
	service_point TEXT NOT NULL, 
	valid_from BIGINT NOT NULL, 
	valid_to BIGINT, 
	CONSTRAINT pk_installations PRIMARY KEY (meter, service_point, valid_from), 
	CONSTRAINT fk_installations_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT fk_installations_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
INSERT INTO "installations" VALUES(1,'P-1',1772280000000000,NULL);
CREATE TABLE latest (
	meter INTEGER NOT NULL, 
	register INTEGER NOT NULL, 
	measured_at BIGINT NOT NULL, 
	CONSTRAINT pk_latest PRIMARY KEY (meter, register), 
	CONSTRAINT fk_latest_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT fk_latest_register FOREIGN KEY(register) REFERENCES registers (id)
)
 WITHOUT ROWID

;
INSERT INTO "latest" VALUES(1,1,1772366430000000);
INSERT INTO "latest" VALUES(1,2,1772362800000000);
INSERT INTO "latest" VALUES(1,3,1772366400000000);
CREATE TABLE looks (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	contract TEXT NOT NULL, 
	service_point TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	"by" TEXT NOT NULL, 
	what TEXT NOT NULL, 
	since BIGINT NOT NULL, 
	until BIGINT NOT NULL, 
	step TEXT NOT NULL
);
CREATE TABLE marks (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_marks PRIMARY KEY (name)
);
INSERT INTO "marks" VALUES('rules','nurt 0.1.0');
CREATE TABLE master_key (
	id INTEGER NOT NULL, 
	check_value BLOB NOT NULL, 
	CONSTRAINT pk_master_key PRIMARY KEY (id)
);
INSERT INTO "master_key" VALUES(1,X'42FFC4197A9E5A9EC4BA95DEDE647BBA43711F2FE9075558AB2872B6F6503AB0');
CREATE TABLE mending (
	meter INTEGER NOT NULL, 
	asked BIGINT NOT NULL, 
	CONSTRAINT pk_mending PRIMARY KEY (meter), 
	CONSTRAINT fk_mending_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
INSERT INTO "mending" VALUES(1,1);
CREATE TABLE meter_keys (
	id INTEGER NOT NULL, 
	meter INTEGER NOT NULL, 
	sealed BLOB NOT NULL, 
	added_at BIGINT NOT NULL, valid_from BIGINT, valid_to BIGINT, master INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_meter_keys PRIMARY KEY (id), 
	CONSTRAINT fk_meter_keys_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
INSERT INTO "meter_keys" VALUES(1,1,X'564CA6379F34624726A0F625EFA00A350DD25E382B67930F3C130C2ADE953460F8AB73707887223A0096562D',1772366400000000,1772280000000000,NULL,1);
CREATE TABLE meters (
	meter INTEGER NOT NULL, 
	medium TEXT NOT NULL, 
	label TEXT NOT NULL, 
	model TEXT, 
	search TEXT NOT NULL, 
	CONSTRAINT pk_meters PRIMARY KEY (meter), 
	CONSTRAINT fk_meters_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
INSERT INTO "meters" VALUES(1,'cold water','Garden','kamstrup-mc21','kam-76348799-1b-16
garden');
CREATE TABLE origins (
	id INTEGER NOT NULL, 
	unit TEXT NOT NULL, 
	way TEXT NOT NULL, 
	quality TEXT NOT NULL, 
	gateway TEXT NOT NULL, 
	model TEXT NOT NULL, 
	decoder TEXT NOT NULL, 
	CONSTRAINT pk_origins PRIMARY KEY (id), 
	CONSTRAINT uq_origins_unit_way_quality_gateway_model_decoder UNIQUE (unit, way, quality, gateway, model, decoder)
);
INSERT INTO "origins" VALUES(1,'m3','radio','2.0.0','roof','kamstrup-mc21','1');
INSERT INTO "origins" VALUES(2,'m3/h','radio','2.0.0','roof','kamstrup-mc21','1');
INSERT INTO "origins" VALUES(3,'m3','pulse','2.0.0','roof','','1');
CREATE TABLE outbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	target TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	aggregate TEXT NOT NULL, 
	payload BLOB NOT NULL, 
	sha256 BLOB NOT NULL, 
	state TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	next_at BIGINT NOT NULL, 
	lease_owner TEXT NOT NULL, 
	lease_until BIGINT, 
	error TEXT NOT NULL, 
	receipt TEXT NOT NULL, 
	put_at BIGINT NOT NULL, 
	settled_at BIGINT, 
	CONSTRAINT uq_outbox_target_key UNIQUE (target, "key")
);
INSERT INTO "outbox" VALUES(1,'cis','br:wod:SP1%2Fvolume:2026-02-01..2026-03-01:1','SP1/volume',X'7B22766F6C756D655F6D33223A223131227D',X'F92281427F8D5C82AD28B60B81A4EB8229227B3EE110A0ACD71279823A6A9702','pending',1,1772366400000000,'w1',1772366460000000,'','',1772366400000000,NULL);
CREATE TABLE outbox_attempts (
	id INTEGER NOT NULL, 
	message INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	outcome TEXT NOT NULL, 
	CONSTRAINT pk_outbox_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_outbox_attempts_message FOREIGN KEY(message) REFERENCES outbox (id)
);
INSERT INTO "outbox_attempts" VALUES(1,1,1772366400000000,'503');
CREATE TABLE outbox_pauses (
	target TEXT NOT NULL, 
	since BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_outbox_pauses PRIMARY KEY (target)
);
INSERT INTO "outbox_pauses" VALUES('old',1772366400000000,'410: gone');
CREATE TABLE parts (
	gateway TEXT NOT NULL, 
	boot TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	first BOOLEAN NOT NULL, 
	last BOOLEAN NOT NULL, 
	form TEXT NOT NULL, 
	payload BLOB NOT NULL, 
	heard_at BIGINT NOT NULL, 
	received_at BIGINT NOT NULL, 
	clock TEXT NOT NULL, 
	CONSTRAINT pk_parts PRIMARY KEY (gateway, boot, seq)
);
INSERT INTO "parts" VALUES('water','0102030405060708-01ab23cd',341,1,0,'lobaro1',X'70617274',1772366400000000,1772366400000000,'none');
CREATE TABLE protocols (
	meter INTEGER NOT NULL, 
	service_point TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	event TEXT NOT NULL, 
	value TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	CONSTRAINT pk_protocols PRIMARY KEY (meter, service_point, at, event), 
	CONSTRAINT fk_protocols_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT fk_protocols_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
CREATE TABLE pulse_inputs (
	gateway TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	valid_from BIGINT NOT NULL, 
	valid_to BIGINT, 
	meter INTEGER NOT NULL, 
	litres_per_pulse TEXT NOT NULL, 
	start_count BIGINT NOT NULL, 
	start_index_m3 TEXT NOT NULL, 
	CONSTRAINT pk_pulse_inputs PRIMARY KEY (gateway, channel, valid_from), 
	CONSTRAINT fk_pulse_inputs_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
INSERT INTO "pulse_inputs" VALUES('roof','1',1772280000000000,NULL,1,'2.5',100,'7.5');
CREATE TABLE pulse_resets (
	gateway TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	total BIGINT NOT NULL, 
	lost BIGINT NOT NULL, 
	CONSTRAINT pk_pulse_resets PRIMARY KEY (gateway, channel, at)
);
INSERT INTO "pulse_resets" VALUES('roof','1',1772366400000000,104,3);
CREATE TABLE pulse_states (
	gateway TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	total BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_pulse_states PRIMARY KEY (gateway, channel)
);
INSERT INTO "pulse_states" VALUES('roof','1',104,1772366400000000);
CREATE TABLE quarantine (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	gateway TEXT NOT NULL, 
	topic TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	sentence TEXT NOT NULL, 
	payload BLOB NOT NULL, 
	size BIGINT NOT NULL, 
	received_at BIGINT NOT NULL
);
INSERT INTO "quarantine" VALUES(1,'roof','amr/1/roof/up','bad_json','This is no JSON.',X'7B',1,1772366495000000);
CREATE TABLE reading_orders (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	service_point TEXT NOT NULL, 
	question INTEGER, 
	due DATE NOT NULL, 
	reason TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	state TEXT NOT NULL, 
	ordered_at BIGINT NOT NULL, 
	settled_at BIGINT, 
	settled_by TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	CONSTRAINT fk_reading_orders_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
CREATE TABLE readings (
	meter INTEGER NOT NULL, 
	register INTEGER NOT NULL, 
	measured_at BIGINT NOT NULL, 
	value TEXT NOT NULL, 
	received_at BIGINT NOT NULL, 
	telegram INTEGER, 
	origin INTEGER NOT NULL, 
	CONSTRAINT pk_readings PRIMARY KEY (meter, register, measured_at, value), 
	CONSTRAINT fk_readings_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT fk_readings_register FOREIGN KEY(register) REFERENCES registers (id), 
	CONSTRAINT fk_readings_telegram FOREIGN KEY(telegram) REFERENCES telegrams (id), 
	CONSTRAINT fk_readings_origin FOREIGN KEY(origin) REFERENCES origins (id)
)
 WITHOUT ROWID

;
INSERT INTO "readings" VALUES(1,1,1772366400000000,'7.704',1772366401000000,1,1);
INSERT INTO "readings" VALUES(1,1,1772366430000000,'7.71',1772366431000000,NULL,3);
INSERT INTO "readings" VALUES(1,2,1772362800000000,'7.5',1772362801000000,1,1);
INSERT INTO "readings" VALUES(1,3,1772366400000000,'0.01',1772366401000000,1,2);
CREATE TABLE receptions (
	id INTEGER NOT NULL, 
	telegram INTEGER NOT NULL, 
	gateway INTEGER NOT NULL, 
	heard_at BIGINT NOT NULL, 
	received_at BIGINT NOT NULL, 
	clock TEXT NOT NULL, 
	rssi_dbm INTEGER, 
	mode TEXT, 
	boot TEXT, 
	seq BIGINT, 
	history BOOLEAN NOT NULL, 
	raw BLOB, 
	CONSTRAINT pk_receptions PRIMARY KEY (id), 
	CONSTRAINT fk_receptions_telegram FOREIGN KEY(telegram) REFERENCES telegrams (id), 
	CONSTRAINT fk_receptions_gateway FOREIGN KEY(gateway) REFERENCES gateways (id)
);
INSERT INTO "receptions" VALUES(1,1,1,1772366400000000,1772366401000000,'ntp',-71,'T1','9f3a11c2',1,0,NULL);
INSERT INTO "receptions" VALUES(2,1,2,1772366402000000,1772366403000000,'ntp',-71,'T1','9f3a11c2',1,0,X'726177');
INSERT INTO "receptions" VALUES(3,2,1,1772366460000000,1772366461000000,'ntp',-71,'T1','9f3a11c2',2,0,NULL);
INSERT INTO "receptions" VALUES(4,3,1,1772366490000000,1772366491000000,'ntp',-71,'T1','9f3a11c2',3,0,NULL);
CREATE TABLE registers (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	CONSTRAINT pk_registers PRIMARY KEY (id), 
	CONSTRAINT uq_registers_key UNIQUE ("key")
);
INSERT INTO "registers" VALUES(1,'volume');
INSERT INTO "registers" VALUES(2,'volume/s1');
INSERT INTO "registers" VALUES(3,'volume_flow:maximum');
INSERT INTO "registers" VALUES(4,'date/s1');
CREATE TABLE rhythms (
	meter INTEGER NOT NULL, 
	interval_s INTEGER, 
	learnt_at BIGINT NOT NULL, 
	CONSTRAINT pk_rhythms PRIMARY KEY (meter), 
	CONSTRAINT fk_rhythms_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
INSERT INTO "rhythms" VALUES(1,900,1772366400000000);
CREATE TABLE series_queue (
	id INTEGER NOT NULL, 
	meter INTEGER NOT NULL, 
	register INTEGER NOT NULL, 
	measured_at BIGINT NOT NULL, 
	gone BOOLEAN NOT NULL, 
	CONSTRAINT pk_series_queue PRIMARY KEY (id)
);
CREATE TABLE service_points (
	id TEXT NOT NULL, 
	address TEXT NOT NULL, 
	district TEXT NOT NULL, 
	route TEXT NOT NULL, 
	search TEXT NOT NULL, 
	CONSTRAINT pk_service_points PRIMARY KEY (id)
);
INSERT INTO "service_points" VALUES('P-1','ul. Łąkowa 1','north','R7','p-1
ul. łąkowa 1');
CREATE TABLE spans (
	gateway INTEGER NOT NULL, 
	boot TEXT NOT NULL, 
	first BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	CONSTRAINT pk_spans PRIMARY KEY (gateway, boot, first), 
	CONSTRAINT fk_spans_gateway FOREIGN KEY(gateway) REFERENCES gateways (id)
)
 WITHOUT ROWID

;
INSERT INTO "spans" VALUES(1,'9f3a11c2',1,4);
INSERT INTO "spans" VALUES(2,'9f3a11c2',1,1);
CREATE TABLE states (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	meter INTEGER NOT NULL, 
	service_point TEXT NOT NULL, 
	register TEXT NOT NULL, 
	read_at BIGINT NOT NULL, 
	value TEXT, 
	typed TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	entered_at BIGINT NOT NULL, 
	answer TEXT NOT NULL, 
	told TEXT NOT NULL, 
	window TEXT NOT NULL, 
	accepted_at BIGINT, 
	CONSTRAINT fk_states_meter FOREIGN KEY(meter) REFERENCES identities (id), 
	CONSTRAINT fk_states_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
CREATE TABLE telegrams (
	id INTEGER NOT NULL, 
	meter INTEGER NOT NULL, 
	frame BLOB NOT NULL, 
	fingerprint BLOB NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	heard_at BIGINT NOT NULL, 
	CONSTRAINT pk_telegrams PRIMARY KEY (id), 
	CONSTRAINT fk_telegrams_meter FOREIGN KEY(meter) REFERENCES identities (id)
);
INSERT INTO "telegrams" VALUES(1,1,X'2A446F6E65',X'31313131313131313131313131313131','stored','',1772366400000000);
INSERT INTO "telegrams" VALUES(2,1,X'2A4474776F',X'32323232323232323232323232323232','held','wrong_key',1772366460000000);
INSERT INTO "telegrams" VALUES(3,2,X'2A44666172',X'33333333333333333333333333333333','foreign','',1772366490000000);
CREATE TABLE tenancies (
	contract TEXT NOT NULL, 
	service_point TEXT NOT NULL, 
	valid_from BIGINT NOT NULL, 
	valid_to BIGINT, 
	CONSTRAINT pk_tenancies PRIMARY KEY (contract, service_point, valid_from), 
	CONSTRAINT fk_tenancies_contract FOREIGN KEY(contract) REFERENCES contracts (number), 
	CONSTRAINT fk_tenancies_service_point FOREIGN KEY(service_point) REFERENCES service_points (id)
);
CREATE TABLE unclaimed (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind TEXT NOT NULL, 
	gateway TEXT NOT NULL, 
	name TEXT NOT NULL, 
	heard_at BIGINT NOT NULL, 
	digest TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT uq_unclaimed_kind_gateway_name_heard_at_digest UNIQUE (kind, gateway, name, heard_at, digest)
);
CREATE INDEX ix_telegrams_fingerprint_heard_at ON telegrams (fingerprint, heard_at);
CREATE INDEX ix_telegrams_meter_id ON telegrams (meter, id);
CREATE INDEX ix_telegrams_held ON telegrams (meter) WHERE state = 'held';
CREATE INDEX ix_receptions_telegram ON receptions (telegram);
CREATE UNIQUE INDEX uq_receptions_sequence ON receptions (gateway, boot, seq) WHERE boot IS NOT NULL;
CREATE INDEX ix_readings_telegram ON readings (telegram);
CREATE UNIQUE INDEX uq_details_without_telegram ON details (meter, register, measured_at, text) WHERE telegram IS NULL;
CREATE INDEX ix_installations_service_point ON installations (service_point);
CREATE INDEX ix_meter_keys_meter ON meter_keys (meter);
CREATE INDEX ix_telegrams_foreign ON telegrams (heard_at) WHERE state = 'foreign';
CREATE INDEX ix_outbox_unsettled ON outbox (target, aggregate, id) WHERE state IN ('pending', 'dead');
CREATE INDEX ix_outbox_due ON outbox (target, next_at, id) WHERE state = 'pending';
CREATE INDEX ix_outbox_attempts_message ON outbox_attempts (message);
CREATE INDEX ix_contracts_customer ON contracts (customer);
CREATE INDEX ix_tenancies_service_point_valid_from ON tenancies (service_point, valid_from);
CREATE INDEX ix_states_meter_read_at ON states (meter, read_at);
CREATE INDEX ix_states_service_point_window ON states (service_point, window);
CREATE INDEX ix_billing_reads_service_point_ends ON billing_reads (service_point, ends);
CREATE INDEX ix_billing_reads_ends_state ON billing_reads (ends, state);
CREATE INDEX ix_billing_exceptions_state_id ON billing_exceptions (state, id);
CREATE UNIQUE INDEX uq_billing_exceptions_open ON billing_exceptions (service_point, register, period, kind) WHERE settled_at IS NULL;
CREATE INDEX ix_billing_decisions_exception ON billing_decisions (exception);
CREATE INDEX ix_billing_documents_customer_as_of ON billing_documents (customer, as_of);
CREATE INDEX ix_billing_documents_read ON billing_documents (read);
CREATE INDEX ix_telegrams_waiting ON telegrams (state, id) WHERE state != 'stored';
CREATE INDEX ix_consents_contract ON consents (contract);
CREATE INDEX ix_looks_contract ON looks (contract);
CREATE INDEX ix_looks_at ON looks (at);
CREATE INDEX ix_unclaimed_heard_at ON unclaimed (heard_at);
CREATE INDEX ix_findings_subject ON findings (subject);
CREATE INDEX ix_findings_raised_at ON findings (raised_at);
CREATE UNIQUE INDEX ix_findings_open ON findings (subject, family) WHERE cleared_at IS NULL;
CREATE INDEX ix_finding_verdicts_finding ON finding_verdicts (finding);
CREATE INDEX ix_finding_notices_finding ON finding_notices (finding);
CREATE INDEX ix_finding_notices_state_next_at ON finding_notices (state, next_at);
CREATE INDEX ix_check_findings_found_at ON check_findings (found_at);
CREATE INDEX ix_reading_orders_state_due ON reading_orders (state, due);
CREATE UNIQUE INDEX uq_reading_orders_open ON reading_orders (service_point) WHERE settled_at IS NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('quarantine',1);
INSERT INTO "sqlite_sequence" VALUES('outbox',1);
COMMIT;
