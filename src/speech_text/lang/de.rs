//! German. Ordinals are inflected for the word before them.

use super::super::language::{
    Answers, Currency, DottedOrdinals, Form, Language, Maths, PersonRequests, Search, Stops, Words,
    cents, currency, multiplier, noun, unit,
};
use super::numerals::de::{cardinal, date, decade, ordinal, ordinal_form, regnal, time, year};
use super::{cues, wishes};

const M: Form = Form::Masculine;
const F: Form = Form::Feminine;

const EURO: Currency = cents(
    &["ct", "Ct", "Ct.", "ct."],
    currency(&["€", "EUR"], noun("Euro", "Euro", M), noun("Cent", "Cent", M)),
);

/// The franc of Switzerland.
pub(super) const FRANKEN: Currency = cents(
    &["Rp.", "Rp"],
    currency(&["CHF", "Fr.", "SFr."], noun("Franken", "Franken", M), noun("Rappen", "Rappen", M)),
);

pub(super) static GERMAN: Language = GERMANY;

/// German as it is written in Germany, which a region changes.
pub(super) const GERMANY: Language = Language {
    code: "de",
    wishes: wishes::GERMAN,
    person: PersonRequests {
        requests: "mit @ * sprechen, mit @ * reden, mit @ * telefonieren, mit @ * chatten, mit @ * \
                   verbinden, mit @ verbunden werden, verbinde mich * mit @, verbinden sie mich * \
                   mit @, verbinde mich * zu @, verbinden sie mich * zu @, stell mich * zu @, \
                   stellen sie mich * zu @, leite mich * an @, leiten sie mich * an @, gib mich * \
                   an @, geben sie mich * an @, an @ weiterleiten, an @ wenden, zu @ durchstellen, \
                   @ sprechen ., @ ans telefon, @ erreichen, @ kontaktieren, gib mir @ ., geben \
                   sie mir @ ., ich will @ ., ich möchte @ ., ich brauche @ ., ich hätte gern @ ., \
                   ich hätte gerne @ ., ich bevorzuge @ ., mich @ anrufen, mich * @ zurückrufen, @ \
                   mich * anrufen, @ mich * anruft, @ mich * zurückruft, ruf mich * zurück, rufen \
                   sie mich * zurück, rufen sie mich * an ., @ mit dem ich * kann, @ mit der ich * \
                   kann, mit @ * schreiben, erreiche ich @, ich möchte zu @ ., ich will zu @ ., @ \
                   mit denen ich * kann, menschliche hilfe",
        people: "mensch, menschen, person, mitarbeiter, mitarbeitern, mitarbeiterin, \
                 mitarbeiterinnen, servicemitarbeiter, kundenberater, kundenberaterin, berater, \
                 beraterin, kollege, kollegen, kollegin, jemand, jemanden, jemandem, \
                 kundenservice, kundendienst, kundenbetreuung, kundenbetreuer, support, service, \
                 ansprechpartner, ansprechpartnerin, sachbearbeiter, sachbearbeiterin, chef, \
                 chefin, geschäftsführer, vorgesetzten, verkäufer, verkäuferin, techniker, \
                 personal, team, agent, agenten, operator",
        alone: "mensch, menschen, mitarbeiter, mitarbeiterin, berater, beraterin, kundenberater, \
                kundenservice, kundendienst, ansprechpartner, echte person, echten person, \
                operator",
        before: "ein, eine, einen, einem, einer, der, die, das, dem, den, echt, echte, echten, \
                 echter, echtem, richtige, richtigen, richtiger, richtigem, menschlichen, \
                 menschlicher, menschliche, lebenden, anderen, ihr, ihre, ihrem, ihren, ihrer, \
                 euer, eure, eurem, euren, dein, deinem, von, irgend, mit",
        around: "bitte, jetzt, sofort, gleich, danke, hallo, ja, mal, der, die, und, heute, hier, \
                 statt, kein, keinen, keine, dringend, am",
        not: "nicht, nie, kein, keinen, muss ich, müsste ich, muss man, ohne",
    },
    answers: Answers {
        yes: "ja, ja bitte, ja genau, genau, richtig, ja richtig, stimmt, das stimmt, \
              ja das stimmt, korrekt, jawohl",
        no: "nein, nee, nein falsch, falsch, stimmt nicht, das stimmt nicht, nein das stimmt nicht",
    },
    search: Search {
        common: "aber, als, am, an, auch, auf, aus, bei, bin, bis, bitte, da, das, dass, dem, den, \
                 der, des, die, dir, du, ein, eine, einem, einen, einer, er, es, für, gibt, haben, \
                 hat, heute, ich, ihr, ihre, im, in, ist, ja, kann, können, man, mein, mich, mir, \
                 mit, möchte, nach, nicht, noch, oder, sein, sich, sie, sind, so, und, uns, von, \
                 wann, warum, was, welche, wer, wie, wir, wird, wo, zu, zum, zur",
        courtesies: "hallo, guten, tag, danke",
        titles: "herr, herrn, frau, dr, doktor, prof, professor, firma, familie, marke",
        capitals: "sie, ihnen, ihr, ihre, ihrem, ihren, ihrer, ihres, montag, dienstag, \
                   mittwoch, donnerstag, freitag, samstag, sonntag, januar, februar, märz, \
                   april, mai, juni, juli, august, september, oktober, november, dezember, uhr, \
                   euro, cent",
    },
    stops: Stops {
        never_end: "z.b, d.h, u.a, bzw, ca, nr, str, inkl, zzgl, ggf, evtl, hr, fr, dr, prof, mio, \
                    mrd, vgl, tel",
        may_end: "usw, std, h, min, kg, m.w.st, mwst, uhr, stk",
    },
    cardinal,
    indian: None,
    ordinal,
    ordinal_form,
    year,
    date,
    decade,
    decade_marks: &["er", "ern", "ers"],
    regnal,
    time,
    decimal: ',',
    decimals_by_digit: true,
    singular_below_two: false,
    phone_in_pairs: false,
    seven_digit_phones: false,
    month_before_day: false,
    capital_names: true,
    capital_nouns: true,
    first_person_is_i: false,
    roman_before_name: false,
    words: Words {
        point: "Komma",
        minus: "minus",
        plus: "plus",
        equals: "gleich",
        times: "mal",
        and: "und",
        percent: "Prozent",
        to: "bis",
        ratio: "zu",
        out_of: "von",
        about: "etwa",
        less: "weniger als",
        more: "mehr als",
        at_most: "höchstens",
        at_least: "mindestens",
        plus_minus: "plus minus",
        per: "pro",
        number: "Nummer",
        at: "ät",
        dot: "Punkt",
        slash: "Schrägstrich",
        hyphen: "Bindestrich",
        underscore: "Unterstrich",
        hashtag: "Hashtag",
        half: "einhalb",
        half_a: "ein halbes",
        and_half: "einhalb",
        long_link: "der Link, den ich mitschicke",
        code: "Den Code lasse ich weg.",
    },
    maths: Maths {
        divided: "geteilt durch",
        no_less: "ist größer oder gleich",
        no_more: "ist kleiner oder gleich",
        unequal: "ist ungleich",
        squared: "Quadrat",
        cubed: "hoch drei",
        power: "hoch",
        root: "Wurzel aus",
    },
    million_of: |_| "",
    cents_join: " ",
    cents_named: false,
    own: &EURO,
    currencies: &[
        EURO,
        currency(&["$", "US$", "USD"], noun("Dollar", "Dollar", M), noun("Cent", "Cent", M)),
        currency(&["£", "GBP"], noun("Pfund", "Pfund", M), noun("Penny", "Pence", M)),
        currency(&["R$", "BRL"], noun("Real", "Real", M), noun("Centavo", "Centavos", M)),
        currency(&["¥", "JPY"], noun("Yen", "Yen", M), noun("", "", M)),
        FRANKEN,
        currency(&["₹", "INR"], noun("Rupie", "Rupien", F), noun("Paisa", "Paise", M)),
    ],
    multipliers: &[
        multiplier(&["Tsd.", "Tsd", "k"], 1000, noun("tausend", "tausend", M)),
        multiplier(
            &["Mio.", "Mio", "Million", "Millionen"],
            1_000_000,
            noun("Million", "Millionen", F),
        ),
        multiplier(
            &["Mrd.", "Mrd", "Milliarde", "Milliarden"],
            1_000_000_000,
            noun("Milliarde", "Milliarden", F),
        ),
    ],
    units: &[
        unit(&["Uhr"], noun("Uhr", "Uhr", M)),
        unit(&["ft", "′"], noun("Fuß", "Fuß", M)),
        unit(&["″"], noun("Zoll", "Zoll", M)),
        unit(&["km"], noun("Kilometer", "Kilometer", M)),
        unit(&["m"], noun("Meter", "Meter", M)),
        unit(&["cm"], noun("Zentimeter", "Zentimeter", M)),
        unit(&["mm"], noun("Millimeter", "Millimeter", M)),
        unit(&["kg"], noun("Kilo", "Kilo", M)),
        unit(&["g"], noun("Gramm", "Gramm", M)),
        unit(&["mg"], noun("Milligramm", "Milligramm", M)),
        unit(&["t"], noun("Tonne", "Tonnen", F)),
        unit(&["l", "L"], noun("Liter", "Liter", M)),
        unit(&["ml"], noun("Milliliter", "Milliliter", M)),
        unit(&["cl"], noun("Zentiliter", "Zentiliter", M)),
        unit(&["m²", "m2", "qm"], noun("Quadratmeter", "Quadratmeter", M)),
        unit(&["km²", "km2"], noun("Quadratkilometer", "Quadratkilometer", M)),
        unit(&["m³", "m3"], noun("Kubikmeter", "Kubikmeter", M)),
        unit(&["km/h"], noun("Kilometer pro Stunde", "Kilometer pro Stunde", M)),
        unit(&["°C", "ºC", "℃"], noun("Grad", "Grad", M)),
        unit(&["°F", "ºF"], noun("Grad Fahrenheit", "Grad Fahrenheit", M)),
        unit(&["°"], noun("Grad", "Grad", M)),
        unit(&["h", "Std.", "Std"], noun("Stunde", "Stunden", F)),
        unit(&["min", "Min.", "Min"], noun("Minute", "Minuten", F)),
        unit(&["s", "Sek.", "Sek"], noun("Sekunde", "Sekunden", F)),
        unit(&["kB", "KB"], noun("Kilobyte", "Kilobyte", M)),
        unit(&["MB"], noun("Megabyte", "Megabyte", M)),
        unit(&["GB"], noun("Gigabyte", "Gigabyte", M)),
        unit(&["TB"], noun("Terabyte", "Terabyte", M)),
        unit(&["Mbit/s", "Mbps"], noun("Megabit pro Sekunde", "Megabit pro Sekunde", M)),
        unit(&["W"], noun("Watt", "Watt", M)),
        unit(&["kW"], noun("Kilowatt", "Kilowatt", M)),
        unit(&["kWh"], noun("Kilowattstunde", "Kilowattstunden", F)),
        unit(&["V"], noun("Volt", "Volt", M)),
        unit(&["x"], noun("mal", "mal", M)),
        unit(&["Stk.", "Stk"], noun("Stück", "Stück", M)),
    ],
    months: [
        &["Januar", "Jänner", "Jan"],
        &["Februar", "Feb"],
        &["März", "Mär"],
        &["April", "Apr"],
        &["Mai"],
        &["Juni", "Jun"],
        &["Juli", "Jul"],
        &["August", "Aug"],
        &["September", "Sept", "Sep"],
        &["Oktober", "Okt"],
        &["November", "Nov"],
        &["Dezember", "Dez"],
    ],
    weekdays: [
        &["Montag", "Mo"],
        &["Dienstag", "Di"],
        &["Mittwoch", "Mi"],
        &["Donnerstag", "Do"],
        &["Freitag", "Fr"],
        &["Samstag", "Sa"],
        &["Sonntag", "So"],
    ],
    day_to_month: &[". ", ".\u{a0}", "."],
    month_to_year: &[", ", " "],
    hour_units: "Uhr",
    parts: [
        ("Halb", "Halbe"),
        ("Drittel", "Drittel"),
        ("Viertel", "Viertel"),
        ("Fünftel", "Fünftel"),
        ("Sechstel", "Sechstel"),
        ("Siebtel", "Siebtel"),
        ("Achtel", "Achtel"),
        ("Neuntel", "Neuntel"),
        ("Zehntel", "Zehntel"),
    ],
    ordinal_marks: &[],
    dotted_ordinals: Some(DottedOrdinals {
        before: "ab, am, beim, bis, das, dem, den, der, des, die, im, jeden, seit, vom, zum, zur",
        after: "Januar, Jänner, Februar, März, April, Mai, Juni, Juli, August, September, Oktober, \
                November, Dezember, Stock, Etage, Klasse, Platz, Tag, Woche, Mal, Quartal, \
                Jahrhundert",
    }),
    list: "Erstens, Zweitens, Drittens, Viertens, Fünftens, Sechstens, Siebtens, Achtens, \
           Neuntens, Zehntens",
    replacements: &[
        ("z. B.", "zum Beispiel"),
        ("z.B.", "zum Beispiel"),
        ("d. h.", "das heißt"),
        ("d.h.", "das heißt"),
        ("u. a.", "unter anderem"),
        ("u.a.", "unter anderem"),
        ("usw.", "und so weiter"),
        ("bzw.", "beziehungsweise"),
        ("ca.", "circa"),
        ("inkl.", "inklusive"),
        ("zzgl.", "zuzüglich"),
        ("ggf.", "gegebenenfalls"),
        ("evtl.", "eventuell"),
        ("Dr.", "Doktor"),
        ("Hr.", "Herr"),
        ("Fr.", "Frau"),
        ("Nr.", "Nummer"),
        ("Str.", "Straße"),
        ("Tel.", "Telefon"),
        ("Mio.", "Millionen"),
        ("Mrd.", "Milliarden"),
        ("MwSt.", "Mehrwertsteuer"),
        ("§", "Paragraf"),
        ("24/7", "rund um die Uhr"),
    ],
    cues: &cues::GERMAN,
    not_counted: "",
    feminine_endings: "e, ung, heit, keit, schaft, tion, tät, nacht, person",
    masculine: "name, kunde, ende, käse, kollege, gebäude, junge, interesse",
};
