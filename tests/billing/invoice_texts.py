"""Invoices made for the tests: KSeF FA(3), UBL 2.1 as RO e-Factura."""

FA3 = """<?xml version="1.0" encoding="UTF-8"?>
<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/">
 <Naglowek><KodFormularza kodSystemowy="FA (3)" wersjaSchemy="1-0E">FA</KodFormularza>
  <WariantFormularza>3</WariantFormularza><DataWytworzeniaFa>2026-04-03T08:15:00Z</DataWytworzeniaFa></Naglowek>
 <Podmiot1><DaneIdentyfikacyjne><NIP>1234563218</NIP>
  <Nazwa>Wodociągi Gminne</Nazwa></DaneIdentyfikacyjne></Podmiot1>
 <Podmiot2><DaneIdentyfikacyjne><BrakID>1</BrakID><Nazwa>Odbiorca</Nazwa></DaneIdentyfikacyjne>
  <NrKlienta>K-104</NrKlienta><JST>2</JST><GV>2</GV></Podmiot2>
 <Fa><KodWaluty>PLN</KodWaluty><P_1>2026-04-03</P_1><P_2>F/2026/04/17</P_2>
  <OkresFa><P_6_Od>2026-03-01</P_6_Od><P_6_Do>2026-03-31</P_6_Do></OkresFa>
  <P_13_2>50.40</P_13_2><P_14_2>4.03</P_14_2><P_15>54.43</P_15><RodzajFaktury>VAT</RodzajFaktury>
  <FaWiersz><NrWierszaFa>1</NrWierszaFa><P_7>Woda, licznik KAM-76348799</P_7><P_8A>m3</P_8A><P_8B>9</P_8B>
   <P_9A>5.6</P_9A><P_11>50.40</P_11><P_12>8</P_12></FaWiersz>
  <Rozliczenie><Obciazenia><Kwota>10.00</Kwota><Powod>saldo</Powod></Obciazenia>
   <DoZaplaty>64.43</DoZaplaty></Rozliczenie>
  <Platnosc><TerminPlatnosci><Termin>2026-04-17</Termin></TerminPlatnosci><FormaPlatnosci>6</FormaPlatnosci>
   <RachunekBankowy><NrRB>73111111111111111111111111</NrRB></RachunekBankowy></Platnosc>
 </Fa>
</Faktura>"""

UBL = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:efactura.mfinante.ro:CIUS-RO:1.0.1</cbc:CustomizationID>
 <cbc:ID>APA-2026-17</cbc:ID><cbc:IssueDate>2026-04-03</cbc:IssueDate><cbc:DueDate>2026-04-18</cbc:DueDate>
 <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:Note>Index citit</cbc:Note>
 <cbc:DocumentCurrencyCode>RON</cbc:DocumentCurrencyCode>
 <cac:InvoicePeriod><cbc:StartDate>2026-03-01</cbc:StartDate><cbc:EndDate>2026-03-31</cbc:EndDate></cac:InvoicePeriod>
 <cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Apa Comunală</cbc:Name></cac:PartyName>
  <cac:PartyTaxScheme><cbc:CompanyID>RO123456</cbc:CompanyID></cac:PartyTaxScheme></cac:Party></cac:AccountingSupplierParty>
 <cac:AccountingCustomerParty><cac:Party><cac:PartyIdentification><cbc:ID>C-7</cbc:ID></cac:PartyIdentification>
  <cac:PartyLegalEntity><cbc:RegistrationName>Client</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:AccountingCustomerParty>
 <cac:PaymentMeans><cac:PayeeFinancialAccount><cbc:ID>RO49AAAA1B31007593840000</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
 <cac:TaxTotal><cbc:TaxAmount currencyID="RON">4.50</cbc:TaxAmount></cac:TaxTotal>
 <cac:LegalMonetaryTotal><cbc:TaxInclusiveAmount currencyID="RON">54.50</cbc:TaxInclusiveAmount>
  <cbc:PayableAmount currencyID="RON">54.50</cbc:PayableAmount></cac:LegalMonetaryTotal>
 <cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="MTQ">10</cbc:InvoicedQuantity>
  <cbc:LineExtensionAmount currencyID="RON">50.00</cbc:LineExtensionAmount>
  <cac:Item><cbc:Name>Apă</cbc:Name><cac:ClassifiedTaxCategory><cbc:Percent>9</cbc:Percent></cac:ClassifiedTaxCategory></cac:Item>
  <cac:Price><cbc:PriceAmount currencyID="RON">5.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine>
</Invoice>"""
