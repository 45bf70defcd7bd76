//! French, with the number words of France.

use super::super::language::{
    Answers, Currency, Form, Language, Maths, PersonRequests, Search, Stops, Words, cents,
    currency, multiplier, noun, unit,
};
use super::numerals::fr::{cardinal, date, decade, million_of, ordinal, time, year};
use super::{cues, wishes};

const M: Form = Form::Masculine;
const F: Form = Form::Feminine;

const EURO: Currency = cents(
    &["cts", "ct"],
    currency(&["€", "EUR"], noun("euro", "euros", M), noun("centime", "centimes", M)),
);

/// The franc of Switzerland.
pub(super) const FRANC: Currency = cents(
    &["cts", "ct"],
    currency(&["CHF", "Fr.", "frs"], noun("franc", "francs", M), noun("centime", "centimes", M)),
);

pub(super) static FRENCH: Language = FRANCE;

/// French as it is written in France, which a region changes.
pub(super) const FRANCE: Language = Language {
    code: "fr",
    wishes: wishes::FRENCH,
    person: PersonRequests {
        requests: "parler @, parler directement @, parler avec @, discuter avec @, échanger avec \
                   @, joindre @, contacter @, avoir @ au téléphone, avoir @ ., passez moi @, passe \
                   moi @, me passer @, en relation avec @, en contact avec @, transférez moi @, \
                   transférez moi vers @, transfère moi @, me transférer @, me transférer vers @, \
                   connectez moi @, connectez moi avec @, connecte moi @, me connecter @, me \
                   connecter avec @, être mis en relation avec @, je veux @ ., je voudrais @ ., \
                   j'aimerais @ ., je préfère @ ., il me faut @ ., j'ai besoin @ ., besoin de \
                   l'aide @, @ me rappelle, @ me rappeler, @ peut me rappeler, @ m'appelle, @ \
                   m'appeler, rappelez moi, rappelle moi ., être rappelé, être rappelée, @ à qui \
                   je peux parler, @ à qui parler, @ avec qui parler, @ avec qui je peux, aide \
                   humaine",
        people: "personne, personnes, humain, humaine, être humain, conseiller, conseillère, \
                 conseillers, agent, opérateur, opératrice, quelqu'un, représentant, \
                 représentante, employé, employée, responsable, gérant, gérante, patron, patronne, \
                 collègue, collègues, vendeur, vendeuse, technicien, technicienne, interlocuteur, \
                 manager, directeur, directrice, équipe, standard, service client, service \
                 clients, service clientèle, service commercial, service technique, support",
        alone: "humain, humaine, être humain, conseiller, conseillère, agent, opérateur, \
                opératrice, vraie personne, service client, service clients, service clientèle",
        before: "un, une, le, la, les, l', du, des, de, d', qu', à, au, aux, votre, vos, ton, tes, \
                 vrai, vraie, véritable, autre",
        around: "s'il, vous, te, plaît, plait, svp, stp, maintenant, merci, bonjour, oui, réel, \
                 réelle, humain, humaine, tout, suite, vite, qui, et, pas, ici, au, téléphone",
        not: "veux pas, ne veux, souhaite pas, voudrais pas, pas besoin de, pas, sans, sans \
              devoir, sans avoir à, viens de, venons de, pu, avant de, faut il, dois je, au lieu \
              de, besoin de ne",
    },
    answers: Answers {
        yes: "oui, ouais, oui s'il vous plaît, oui c'est ça, c'est ça, exact, exactement, \
              tout à fait, oui tout à fait, c'est exact, d'accord",
        no: "non, pas du tout, non pas du tout, faux, c'est faux, ce n'est pas ça, \
             non ce n'est pas ça",
    },
    search: Search {
        common: "a, à, ai, au, aux, avec, avez, c, ce, ces, cette, combien, comment, d, dans, de, \
                 des, du, elle, en, es, est, et, être, fait, faire, il, ils, j, je, l, la, le, \
                 les, leur, ma, mais, me, mes, moi, mon, n, ne, nos, notre, nous, on, où, ou, par, \
                 pas, peut, plaît, pour, pouvez, puis, qu, quand, que, quel, quelle, quels, qui, \
                 s, sa, se, ses, si, son, sont, sur, te, tu, un, une, veux, vos, votre, vous, y",
        courtesies: "bonjour, salut, merci",
        titles: "monsieur, madame, mademoiselle, mme, mlle, docteur, dr, professeur, maître, \
                 marque",
        capitals: "noël, pâques, internet, euros, français, anglais, européen",
    },
    stops: Stops {
        never_end: "mme, mlle, dr, env, c.-à-d, av, bd, tél, p.ex",
        may_end: "etc, art, fig, vol, p, pp, n, min, h, kg",
    },
    cardinal,
    indian: None,
    ordinal,
    ordinal_form: |_| Form::Alone,
    year,
    date,
    decade,
    decade_marks: &["s", "'s", "’s"],
    regnal: |n, form| if n == 1 { ordinal(n, form) } else { cardinal(n, Form::Alone) },
    time,
    decimal: ',',
    decimals_by_digit: false,
    singular_below_two: true,
    phone_in_pairs: true,
    seven_digit_phones: false,
    month_before_day: false,
    capital_names: false,
    capital_nouns: false,
    first_person_is_i: false,
    roman_before_name: false,
    words: Words {
        point: "virgule",
        minus: "moins",
        plus: "plus",
        equals: "égale",
        times: "fois",
        and: "et",
        percent: "pour cent",
        to: "à",
        ratio: "à",
        out_of: "sur",
        about: "environ",
        less: "moins de",
        more: "plus de",
        at_most: "au plus",
        at_least: "au moins",
        plus_minus: "plus ou moins",
        per: "par",
        number: "numéro",
        at: "arobase",
        dot: "point",
        slash: "slash",
        hyphen: "tiret",
        underscore: "tiret bas",
        hashtag: "hashtag",
        half: "un demi",
        half_a: "un demi",
        and_half: " et demi",
        long_link: "le lien que j'envoie par écrit",
        code: "Je passe le code.",
    },
    maths: Maths {
        divided: "divisé par",
        no_less: "est supérieur ou égal à",
        no_more: "est inférieur ou égal à",
        unequal: "est différent de",
        squared: "au carré",
        cubed: "au cube",
        power: "puissance",
        root: "racine carrée de",
    },
    million_of,
    cents_join: " ",
    cents_named: false,
    own: &EURO,
    currencies: &[
        EURO,
        currency(&["$", "US$", "USD"], noun("dollar", "dollars", M), noun("cent", "cents", M)),
        currency(&["£", "GBP"], noun("livre", "livres", F), noun("penny", "pence", M)),
        currency(&["R$", "BRL"], noun("réal", "réaux", M), noun("centavo", "centavos", M)),
        currency(&["¥", "JPY"], noun("yen", "yens", M), noun("", "", M)),
        FRANC,
        currency(&["₹", "INR"], noun("roupie", "roupies", F), noun("paisa", "paisas", M)),
    ],
    multipliers: &[
        multiplier(&["k", "K", "mille"], 1000, noun("mille", "mille", M)),
        multiplier(&["M", "million", "millions"], 1_000_000, noun("million", "millions", M)),
        multiplier(
            &["Md", "milliard", "milliards"],
            1_000_000_000,
            noun("milliard", "milliards", M),
        ),
    ],
    units: &[
        unit(&["ft", "′"], noun("pied", "pieds", M)),
        unit(&["″"], noun("pouce", "pouces", M)),
        unit(&["km"], noun("kilomètre", "kilomètres", M)),
        unit(&["m"], noun("mètre", "mètres", M)),
        unit(&["cm"], noun("centimètre", "centimètres", M)),
        unit(&["mm"], noun("millimètre", "millimètres", M)),
        unit(&["kg"], noun("kilo", "kilos", M)),
        unit(&["g"], noun("gramme", "grammes", M)),
        unit(&["mg"], noun("milligramme", "milligrammes", M)),
        unit(&["t"], noun("tonne", "tonnes", F)),
        unit(&["l", "L"], noun("litre", "litres", M)),
        unit(&["ml", "mL"], noun("millilitre", "millilitres", M)),
        unit(&["cl"], noun("centilitre", "centilitres", M)),
        unit(&["m²", "m2"], noun("mètre carré", "mètres carrés", M)),
        unit(&["km²", "km2"], noun("kilomètre carré", "kilomètres carrés", M)),
        unit(&["m³", "m3"], noun("mètre cube", "mètres cubes", M)),
        unit(&["km/h"], noun("kilomètre heure", "kilomètres heure", M)),
        unit(&["°C", "ºC", "℃"], noun("degré", "degrés", M)),
        unit(&["°F", "ºF"], noun("degré Fahrenheit", "degrés Fahrenheit", M)),
        unit(&["°"], noun("degré", "degrés", M)),
        unit(&["h"], noun("heure", "heures", F)),
        unit(&["min", "mn"], noun("minute", "minutes", F)),
        unit(&["s", "sec"], noun("seconde", "secondes", F)),
        unit(&["ko", "Ko", "kB"], noun("kilo-octet", "kilo-octets", M)),
        unit(&["Mo", "MB"], noun("mégaoctet", "mégaoctets", M)),
        unit(&["Go", "GB"], noun("gigaoctet", "gigaoctets", M)),
        unit(&["To", "TB"], noun("téraoctet", "téraoctets", M)),
        unit(&["Mbit/s", "Mbps"], noun("mégabit par seconde", "mégabits par seconde", M)),
        unit(&["W"], noun("watt", "watts", M)),
        unit(&["kW"], noun("kilowatt", "kilowatts", M)),
        unit(&["kWh"], noun("kilowattheure", "kilowattheures", M)),
        unit(&["V"], noun("volt", "volts", M)),
        unit(&["x"], noun("fois", "fois", F)),
    ],
    months: [
        &["janvier", "janv", "jan"],
        &["février", "févr", "fév"],
        &["mars"],
        &["avril", "avr"],
        &["mai"],
        &["juin"],
        &["juillet", "juil"],
        &["août"],
        &["septembre", "sept"],
        &["octobre", "oct"],
        &["novembre", "nov"],
        &["décembre", "déc"],
    ],
    weekdays: [
        &["lundi", "lun"],
        &["mardi", "mar"],
        &["mercredi", "mer"],
        &["jeudi", "jeu"],
        &["vendredi", "ven"],
        &["samedi", "sam"],
        &["dimanche", "dim"],
    ],
    day_to_month: &[" ", "\u{a0}"],
    month_to_year: &[", ", " "],
    hour_units: "h",
    parts: [
        ("demi", "demis"),
        ("tiers", "tiers"),
        ("quart", "quarts"),
        ("cinquième", "cinquièmes"),
        ("sixième", "sixièmes"),
        ("septième", "septièmes"),
        ("huitième", "huitièmes"),
        ("neuvième", "neuvièmes"),
        ("dixième", "dixièmes"),
    ],
    ordinal_marks: &[
        ("er", M),
        ("ère", F),
        ("re", F),
        ("ème", M),
        ("eme", M),
        ("e", M),
        ("nde", M),
        ("nd", M),
        ("ᵉ", M),
        ("ᵉʳ", M),
    ],
    dotted_ordinals: None,
    list: "Premièrement, Deuxièmement, Troisièmement, Quatrièmement, Cinquièmement, Sixièmement, \
           Septièmement, Huitièmement, Neuvièmement, Dixièmement",
    replacements: &[
        ("p. ex.", "par exemple"),
        ("p.ex.", "par exemple"),
        ("c.-à-d.", "c'est-à-dire"),
        ("etc.", "et cetera"),
        ("Mme", "Madame"),
        ("Mlle", "Mademoiselle"),
        ("M.", "Monsieur"),
        ("Dr", "Docteur"),
        ("env.", "environ"),
        ("av.", "avenue"),
        ("bd", "boulevard"),
        ("tél.", "téléphone"),
        ("Tél.", "Téléphone"),
        ("n°", "numéro"),
        ("nº", "numéro"),
        ("N°", "Numéro"),
        ("24h/24", "vingt-quatre heures sur vingt-quatre"),
        ("7j/7", "sept jours sur sept"),
        ("24/7", "vingt-quatre heures sur vingt-quatre"),
    ],
    cues: &cues::FRENCH,
    not_counted: "a, au, aux, avec, ce, dans, de, des, du, en, est, et, la, le, les, mais, ou, \
                  par, pour, puis, qui, que, sans, sur, à, était",
    feminine_endings: "tion, tions, ette, ettes, ance, ence, ée, ées, ute, utes, onde, heure, \
                       heures, semaine, semaines, personne, personnes, nuit, nuits, table, tables, \
                       chambre, chambres, fois, pizza, bouteille, bouteilles",
    masculine: "",
};
