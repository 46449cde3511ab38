"""Words of column names in nine languages, as concepts: `vorname`, `prenom` and `firstname` are one thing.

Languages: English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, and the abbreviations people use in
them. A concept's own name is one of its words. `PHRASES` (in `phrases.py`) are written in concepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_CONCEPTS: Final[Mapping[str, str]] = {
    # ------------------------------------------------------------------------------------------------ names
    "name": "nm naam nom nome nombre namen names nazwa",
    "first": "1st fst erste primer premier",
    "last": "lst family fam maiden",
    "middle": "mid mi second",
    "given": "fore christian",
    "full": "complete display preferred legal completo vollstandiger volledige alternate alt",
    "givenname": "firstname fname forename vorname rufname prenom prenoms voornaam imie imiona vorna namev frstname",
    "familyname": "lastname lname surname nachname familienname zuname apellido apellidos cognome sobrenome apelido "
    "achternaam nazwisko geburtsname nachn secondname patronymic",
    "middlename": "mname tussenvoegsel",
    "fullname": "nomcomplet nombrecompleto nomecompleto",
    "nickname": "nick alias spitzname",
    "initials": "initialen voorletters",
    # ----------------------------------------------------------------------------------------------- contact
    "email": "emails emailaddress emailid emailadresse mailadresse emailadres courriel correo epost poczta emailaddr "
    "eaddress mailaddress",
    "mail": "mel",
    "phone": "telephone tel telefon telefono telefone telefoon telephon phn phoneno phonenumber telno telnr "
    "telefonnummer rufnummer telefoonnummer fone telf telephonenumber telnum",
    "mobile": "durchwahl handy mobil movil gsm mob cellulare celular cellphone mobilephone "
    "mobiltelefon mobilnummer komorka kom "
    "mobiel portable telemovel cell",
    "fax": "telefax faxnumber facsimile faxnummer",
    "address": "addr adr adresse adres direccion indirizzo endereco domicilio anschrift wohnort residence morada "
    "address1 address2 adress residential addresses",
    "street": "str strasse rue calle via straat rua ulica strassenname streetaddress "
    "streetname strname voie hausnummer "
    "housenumber huisnummer houseno addressline addrline addressline1",
    "house": "apt apartment flat unit suite building",
    "postal": "zip post",
    "zipcode": "postcode postalcode plz postleitzahl codepostal codigopostal cap cep kodpocztowy pstlz postcodes zipcd",
    # ------------------------------------------------------------------------------------------------- birth
    "birth": "born geburt naissance nacimiento nascita geboorte nascimento urodzenia ",
    "birthdate": "dob dateofbirth geburtsdatum geburtstag datenaissance fechanacimiento datanascita geboortedatum "
    "datanascimento dataurodzenia gbdat birthdt ddn birthyear birthmonth birthday bday geburtsjahr "
    "birthdatetime",
    "birthplace": "geburtsort lieunaissance geboorteplaats luogonascita lugarnacimiento "
    "birthcity birthcountry birthstate "
    "naturalidade",
    # ------------------------------------------------------------------------------------------- identifiers
    "id": "ids identifier ident identificador identifiant identificatore identifikator uid uuid guid pk oid rowid "
    "identificativo identyfikator kennung kenn",
    "number": "no nr num nbr nummer numero numer nro numery",
    "identification": "identificacion identificacao identifikation legitimation",
    "code": "cd codigo codice kod cod",
    "key": "schluessel",
    "reference": "ref referenz referencia riferimento referentie",
    "serial": "seq sequence",
    "national": "nationale nacional nazionale narodowy",
    "government": "govt gov",
    "ssn": "socialsecuritynumber socialsecurity sozialversicherungsnummer svnr svnummer nir insee bsn "
    "burgerservicenummer pesel dni nie curp nino nhs aadhaar aadhar rg cedula personnummer cpr socsec itin "
    "sofi rrn nric nationalid nationalidentifier idcard idnumber personalausweis ausweis ausweisnummer cni "
    "carteidentite cartaidentita identiteitskaart nhsnumber niss",
    "passport": "passeport pasaporte passaporto reisepass paspoort paszport passaporte pasport",
    "license": "permit licence fuhrerschein fuehrerschein permis rijbewijs prawojazdy cnh",
    "driver": "drivers driving fahrer",
    "dl": "drvlic",
    "voter": "epic",
    "social": "sociale sozial",
    "security": "securite seguridad sicherheit",
    "tax": "partita steuer fiscal fiscale impuesto imposto belasting podatkowy taxpayer",
    "taxid": "vatid vatnumber vatno vatregno steuernummer steuerid steueridnr ustid "
    "ustidnr ustidnummer numerotva nif "
    "cif rfc tin ein nip codicefiscale partitaiva btwnummer btw piva cpf cnpj pan gstin taxidnum taxnumber "
    "taxidentificationnumber siret siren nipc taxno abn stcd stceg rut cuit",
    "vat": "ust tva iva mwst gst mva",
    # ------------------------------------------------------------------------------------------------- money
    "iban": "ibannumber ibannr ibanno",
    "bank": "banque banco banca bankowy",
    "account": "acct acc konto compte cuenta conto rekening conta konta accnt",
    "bankaccount": "rib kontonummer bankkonto bankverbindung rekeningnummer numerocompte numeroconta numerokonta "
    "bankaccountnumber bankacct bban numerdekonta clabe contocorrente",
    "routing": "sortcode aba bankleitzahl blz abi bankkey bankcode bik ifsc routingnumber rtn bankl bankidentifier "
    "codebanque transit",
    "swift": "bic swiftcode swiftno biccode",
    "card": "carte tarjeta carta karte kaart cartao karta creditcard",
    "credit": "debit kredit credito",
    "cardnumber": "ccnum ccnumber cardno creditcardnumber ccno cardnum pannumber kartennummer numerocarte",
    "cvv": "cvc cvv2 cardcvv",
    "salary": "wage wages gehalt lohn salaire salario stipendio salaris wynagrodzenie pensja bruttolohn nettolohn "
    "grundgehalt remuneration compensation payrate basepay sueldo loon salarie annualsalary laborcost "
    "ordenado",
    "income": "einkommen revenu ingreso reddito inkomen renda dochod earnings",
    "bonus": "pramie praemie prime",
    # ----------------------------------------------------------------------------------------------- technical
    "ip": "ipaddress ipaddr ipv4 ipv6 clientip remoteip ipadresse remoteaddr sourceip",
    "device": "hardware handset",
    "imei": "imsi meid udid idfa gaid imeinumber advertisingid",
    "mac": "macaddress macaddr",
    "password": "passwort pwd passwd passphrase motdepasse contrasena senha wachtwoord haslo passcode kennwort "
    "pwdsaltedhash passwordhash",
    "secret": "apikey secretkey privatekey accesskey clientsecret",
    "username": "login logon loginname benutzername utilisateur usuario gebruikersnaam loginid screenname userlogin",
    "latitude": "lat breitengrad latitud latitudine",
    "longitude": "lon lng long langengrad laengengrad longitud longitudine",
    "coordinates": "latlong latlng coords gps geolocation geopoint koordinaten latlon coordinate geocode",
    "geo": "gis",
    "url": "website homepage web webpage weburl siteweb www link uri",
    # --------------------------------------------------------------------------------------------- demographic
    "gender": "sex geschlecht sexe sexo genere geslacht plec genero gesch",
    "age": "alter edad eta leeftijd idade wiek yrs yo ageyears",
    "ethnicity": "ethnic ethn ethnie race etnia etniciteit ethnische races rasse raza razza minority hispanic",
    "caste": "tribe",
    "marital": "civil famille familien maritale married",
    "maritalstatus": "familienstand civilstatus etatcivil estadocivil statocivile burgerlijkestaat stancywilny famst "
    "situationfamiliale zivilstand marstat",
    "religion": "konfession religione religie religious denomination confession",
    "nationality": "nationalitat nationalite nacionalidad nazionalita nationaliteit nacionalidade obywatelstwo "
    "staatsangehorigkeit citizenship nati",
    "occupation": "profession beruf profesion professione beroep profissao zawod jobtitle occupations",
    "job": "jobs position funktion",
    "title": "titel titre",
    "language": "lang sprache langue idioma lingua taal jezyk langu spoken tongue",
    "military": "veteran militaire militar",
    "electronic": "elektronisch electronique",
    "badge": "ausweisnr",
    "political": "",
    "orientation": "orientierung",
    # -------------------------------------------------------------------------------------------------- health
    "health": "gesundheit sante salud salute gezondheid saude zdrowie",
    "medical": "medizinisch medico clinical",
    "diagnosis": "diagnose diagnostico diagnostic diagnosi icd icd10 icd9 diag",
    "disease": "illness krankheit maladie enfermedad malattia ziekte comorbidity",
    "disability": "disabled behinderung handicap discapacidad disabilita schwerbehindert schwerbehinderung impairment",
    "blood": "blut sang sangre",
    "allergy": "allergies allergie allergien",
    "medication": "medicine medikament prescription",
    "pregnant": "pregnancy schwanger",
    "healthinsurance": "krankenkasse krankenversicherung mutuelle zorgverzekering",
    "symptom": "symptoms",
    # ------------------------------------------------------------------------------------------------- who
    "customer": "partner partners cust client clients kunde kunden customers cliente clientes clienti "
    "klant klanten klient klienci buyer "
    "debitor debtor kontrahent consumer shopper subscriber policyholder member guest",
    "employee": "emp mitarbeiter employe employes empleado empleados dipendente dipendenti medewerker medewerkers "
    "funcionario funcionarios pracownik pracownicy pracownika personnel staff worker workers employees hr "
    "payroll lohnabrechnung associate",
    "employeenumber": "personalnummer personnelnumber persnr mitarbeiternummer matricule matricola",
    "person": "party parties persons people persona personne persoon pessoa osoba individual human citizen resident",
    "user": "users benutzer gebruiker usuarios",
    "patient": "patients donor student pupil participant respondent applicant attendee "
    "passenger volunteer faculty teacher child mother father parent guardian spouse sibling",
    "contact": "contacts kontakt contacto contatto ansprechpartner",
    "player": "players inspector principal mayor senator governor minister contractor laureate witness "
    "athlete coach captain author authors editor artist actor singer composer inventor professor "
    "instructor doctor physician nurse dr judge attorney lawyer officer manager supervisor pilot owner agent "
    "salesperson salesrep salesman assistant recipient sender payee payer holder cardholder kontoinhaber "
    "accountholder titulaire titular intestatario lender borrower coborrower victim suspect witness reporter "
    "reviewer enumerator interviewer caseworker representative rep requester approver signatory tenant "
    "landlord seller candidate winner beneficiary counterparty responsible hh head presenter speaker "
    "investigator director chairman president ceo husband wife son daughter relative emergency kin assignee "
    "caller claimant insured remitter ordering",
    "by": "von par por door przez",
    "organization": "org organisation company firma societe empresa azienda bedrijf "
    "companies companyname employer agency "
    "institution institute university school college hospital organizacja raisonsociale razonsocial "
    "ragionesociale firmenname unternehmen business corporation corp enterprise publisher carrier airline "
    "club team charity ngo insurer legalname buyername department dept association committee facility clinic "
    "provider",
    "vendor": "vendors supplier suppliers lieferant lieferanten fournisseur fournisseurs proveedor proveedores "
    "fornitore fornitori leverancier leveranciers fornecedor fornecedores dostawca dostawcy kreditor creditor "
    "vend merchant manufacturer",
    "site": "restaurant hotel station park plant warehouse store branch werk lager magasin almacen magazzino filiale "
    "entrepot office shop outlet airport venue stop depot",
    # ------------------------------------------------------------------------------- places, things, bookkeeping
    "city": "town ort ville ciudad citta stad cidade miasto ort01 village municipality gemeinde suburb locality",
    "state": "region province provinz bundesland provincia estado county district kreis departement parish regio "
    "division zone area territory land wojewodztwo",
    "country": "pays pais paese kraj landes countrycode nation",
    "line": "ligne linea zeile",
    "home": "privat private haus",
    "work": "dienst",
    "mailing": "shipping billing delivery ship bill deliver rechnungs liefer",
    "case": "docket intake mrn medicalrecord aktenzeichen dossier",
    "role": "rolle ruolo rol",
    "thing": "product item material article artikel produkt produit producto "
    "prodotto sku project campaign event file "
    "filename table column schema database host server domain class category group brand model vehicle "
    "make species library method field form sheet report gl ledger period journal process step task node "
    "parameter plan policy program package song album movie film book game tournament league season series "
    "drug gene protein layer map variable metric segment theme template tool opportunity road river "
    "lake mountain island costcenter kostenstelle profit chart menu page scientific common court tag "
    "register batch feature attribute property label generic short test sample measure strain set "
    "collection source color colour sport subject course major degree",
    "note": "narration notes comment comments remark remarks bemerkung bemerkungen notiz "
    "commentaire commentaires observaciones "
    "observacoes nota notas opmerking opmerkingen uwagi memo freetext freitext anmerkung observation "
    "annotation remittance narrative",
    "text": "txt message body feedback complaint verwendungszweck",
    "description": "desc beschreibung bezeichnung descripcion descrizione omschrijving descricao opis libelle dscr",
    # ----------------------------------------------------------------------------------------- what turns it off
    "date": "datum fecha data dt day month year jahr monat annee mes giorno dag dia timestamp time at am on ts zeit "
    "hour datetime",
    "is": "has was allow allowed can use enable enabled flag ind indicator isactive opt opted optin optout bool "
    "ist hat",
    "quality": "active inactive valid verified subscribed bounced deleted accepted confirmed required mandatory "
    "optional blocked bad primary default shared same receive send sent",
    "type": "typ tipo art kategorie kind",
    "count": "cnt anzahl total totals sum avg average mean median min max pct percent percentage ratio rate fraction "
    "share qty quantity menge cantidad quantite stddev variance incoming outgoing rank score index length "
    "size len width weight height level grade limit amount betrag montant importe importo bedrag valor kwota "
    "balance saldo price preis cost prix prezzo prijs preco cena fee change growth per volume",
    "aspect": "situation prefix suffix salutation anrede version app os platform status stage phase "
    "verification preference preferences format protocol mode "
    "reason channel priority",
    "created": "erstellt angelegt crtd prepared approved applied entered changed updated modified posted reviewed "
    "requested assigned submitted handled signed uploaded audited bearbeiter sachbearbeiter lastmodified "
    "edited checked released cancelled",
}


def _index() -> dict[str, str]:
    index: dict[str, str] = {concept: concept for concept in _CONCEPTS}
    for concept, words in _CONCEPTS.items():
        for word in words.split():
            index.setdefault(word, concept)
    return index


CONCEPT_OF: Final[Mapping[str, str]] = _index()
"""The concept of every word."""

WORDS: Final = frozenset(CONCEPT_OF)
CONCEPTS: Final = frozenset(CONCEPT_OF.values())
