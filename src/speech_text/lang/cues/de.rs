//! German.

use super::Cues;

pub(in super::super) static GERMAN: Cues = Cues {
    codes: "*code, *codes, *pin, *tan, otp, *passwort, *kennwort, *kennung, cvv, cvc, plz, *leitzahl, \
            iban, *nummer, *nr, *zeichen, *ziffern, endet, endend, endziffern, seriennr, ustid",
    named: "*bestellung, *buchung, *reservierung, *referenz, *konto, *ticket, *rechnung, *quittung, \
            *sendung, *paket, *fall, *anfrage, *auftrag, *vorgang, *police, *vertrag, *flug, *modell, \
            *karte, *akte, *mitglied, *kunde, *artikel, *zimmer",
    calls: "rufen, ruf, anrufen, wählen, wähle, telefon, tel, *telefon, handy, mobil, fax, whatsapp, \
            *notruf, notfall, notfälle, notfällen, hotline, durchwahl, polizei, feuerwehr",
    links: "ist, sind, war, lautet, lauten, als, nr, nummer, code, der, die, das, den, dem, ihr, ihre, \
            ihren, dein, deine, deinen, mein, meine, unser, unsere, ein, eine, mit, auf, in, unter, \
            sie, uns, bitte, und, oder, zur, zum, an",
    is: "ist, sind, lautet, als, nr, nummer",
    counted: "",
    choices: "drücken, drücke, taste, option, wählen, wähle, antworten, antworte, senden, schreiben, \
              tippen, oder",
    sources: "quelle, quellen, dok, dokument, ref, referenz, beleg, datei, source",
    versions: "version, versionen, v, firmware, update, release",
    years: "jahr, jahre, seit, bis, ab, von, vor, nach, anno, sommer, winter, herbst, frühjahr, \
            januar, februar, märz, april, mai, juni, juli, august, september, oktober, november, \
            dezember",
    days: "",
    decades: "*",
    clock: "um, ab, bis, von, gegen, seit, vor, nach, uhrzeit",
    lasts: "dauert, dauerte, dauer, länge, spielzeit, laufzeit, lang",
    long: "lang, min, minuten",
    hours: "geöffnet, öffnungszeiten, täglich, werktags, wochentags, offen",
    until: "bis",
    chapters: "kapitel, akt, teil, band, buch, abschnitt, phase, typ, klasse, stufe, anhang, artikel, \
               abbildung, tabelle, szene, weltkrieg, ebene, modul, staffel, hartz",
    centuries: "jahrhundert, jahrhunderts",
    kings: "ludwig, friedrich, wilhelm, heinrich, karl, otto, franz, josef, joseph, maximilian, \
            leopold, konrad, philipp, georg, eduard, jakob, johann, johannes, paul, pius, benedikt, \
            franziskus, leo, napoleon, iwan, nikolaus, alexander, peter, gregor, innozenz, klemens, \
            urban, ramses, richard, felipe, charles, rudolf, albrecht, gustav, christian",
    queens: "elisabeth, elizabeth, katharina, maria, margarethe, isabella, victoria, kleopatra, \
             wilhelmina",
    callouts: "Hinweis, Tipp, Wichtig, Warnung, Vorsicht",
    per: &[
        ("Std", "Stunde"),
        ("Mon", "Monat"),
        ("Pers", "Person"),
        ("St", "Stück"),
        ("J", "Jahr"),
        ("Wo", "Woche"),
    ],
};
