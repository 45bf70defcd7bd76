//! English. American number words, since "one hundred twenty" is understood everywhere.

use super::super::language::{
    Answers, Currency, Form, Language, Maths, PersonRequests, Search, Stops, Words, cents,
    currency, multiplier, noun, unit,
};
use super::numerals::en::{cardinal, date, decade, indian, ordinal, time, year};
use super::{cues, wishes};

const ANY: Form = Form::Masculine;

const DOLLAR: Currency = cents(
    &["¢"],
    currency(&["$", "US$", "USD"], noun("dollar", "dollars", ANY), noun("cent", "cents", ANY)),
);

pub(super) static ENGLISH: Language = Language {
    code: "en",
    wishes: wishes::ENGLISH,
    person: PersonRequests {
        requests: "talk to @, talk with @, speak to @, speak with @, chat to @, chat with @, speak \
                   directly to @, talk directly to @, connect me to @, connect me with @, put me \
                   through to @, put me on to @, transfer me to @, transfer to @, switch me to @, \
                   pass me to @, pass me on to @, hand me to @, hand me over to @, forward me to \
                   @, get through to @, get hold of @, reach @, contact @, get me @, help from @, \
                   bring in @, give me @ ., i want @ ., i need @ ., i'd like @ ., i would like @ \
                   ., i prefer @ ., can i have @ ., can i get @ ., @ i can talk to, @ i can speak \
                   to, @ i can speak with, @ to talk to, @ to speak to, @ to speak with, have @ \
                   call, @ call me, @ to call me, @ ring me, @ contact me, @ to contact me, @ get \
                   back to me, call me back, in touch with @, is @ available, is there @ \
                   available, is @ there, let @ answer, human help",
        people: "person, human, human being, agent, representative, rep, operator, someone, \
                 somebody, anyone, anybody, someone real, colleague, colleagues, advisor, adviser, \
                 consultant, employee, staff, staff member, member of staff, manager, managers, \
                 supervisor, boss, owner, receptionist, salesperson, technician, customer service, \
                 customer support, customer care, support, support team, service team, sales team, \
                 team, people",
        alone: "human, human being, agent, operator, representative, real person, live person, \
                actual person, manager, supervisor, customer service, customer support, customer \
                care",
        before: "a, an, the, real, live, actual, human, your, one, of, another, any, some, next, \
                 available, with, to",
        around: "please, pls, now, instead, thanks, hello, hi, hey, ok, okay, yes, asap, \
                 immediately, right, here, today, who, that, about, because, and, not, on, there",
        not: "don't want to, don't wanna, dont want to, do not want to, didn't want to, don't need \
              to, don't have to, dont have to, do i have to, do i need to, must i, without having \
              to, had to, got to, used to, instead of having to, not, never, cannot",
    },
    answers: Answers {
        yes: "yes, yeah, yep, yup, yes please, yes i did, i did, correct, right, sure, exactly, \
              yes exactly, that is right, that's right, yes that's right, yes that's it, \
              yes correct",
        no: "no, nope, nah, no i didn't, no i did not, i didn't, wrong, that's wrong, \
             that is wrong, no that's wrong, no that's not it, not that, incorrect",
    },
    search: Search {
        common: "a, about, again, all, also, am, an, and, any, anyone, anything, are, as, at, be, \
                 been, but, by, can, could, d, did, do, does, doing, don, for, from, get, give, \
                 got, had, has, have, he, her, here, him, his, how, i, if, in, into, is, it, its, \
                 just, kind, know, let, like, ll, m, many, may, me, might, more, much, my, need, \
                 no, not, now, of, on, one, or, our, please, re, s, shall, she, should, so, some, \
                 something, sort, t, tell, than, that, the, their, them, then, there, these, they, \
                 this, those, to, today, too, tomorrow, up, us, ve, very, want, was, we, were, \
                 what, when, where, which, who, why, will, with, would, yes, you, your",
        courtesies: "hello, hi, hey, thanks, thank, good, morning, afternoon, evening, sorry, bye, \
                     goodbye, ok, okay, excuse",
        titles: "mr, mrs, ms, miss, dr, doctor, prof, professor, sir, brand",
        capitals: "i, monday, tuesday, wednesday, thursday, friday, saturday, sunday, january, \
                   february, march, april, may, june, july, august, september, october, \
                   november, december, christmas, easter, english, spanish, german, french, \
                   portuguese, american, british, european, internet, ok",
    },
    stops: Stops {
        never_end: "mr, mrs, rs, ms, dr, prof, st, vs, e.g, i.e, approx, rev, gen",
        may_end: "tel, ext, ref, etc, a.m, p.m, am, pm, inc, ltd, co, jr, no, nos, p, pp, art, fig, vol, min, h, kg",
    },
    cardinal,
    indian: Some(indian),
    ordinal,
    ordinal_form: |_| Form::Alone,
    year,
    date,
    decade,
    decade_marks: &["s", "'s", "’s"],
    regnal: |n, _| format!("the {}", ordinal(n, Form::Alone)),
    time,
    decimal: '.',
    decimals_by_digit: true,
    singular_below_two: false,
    phone_in_pairs: false,
    seven_digit_phones: true,
    month_before_day: true,
    capital_names: true,
    capital_nouns: false,
    first_person_is_i: true,
    roman_before_name: false,
    words: Words {
        point: "point",
        minus: "minus",
        plus: "plus",
        equals: "equals",
        times: "times",
        and: "and",
        percent: "percent",
        to: "to",
        ratio: "to",
        out_of: "out of",
        about: "about",
        less: "less than",
        more: "more than",
        at_most: "at most",
        at_least: "at least",
        plus_minus: "plus or minus",
        per: "per",
        number: "number",
        at: "at",
        dot: "dot",
        slash: "slash",
        hyphen: "hyphen",
        underscore: "underscore",
        hashtag: "hashtag",
        half: "half",
        half_a: "half a",
        and_half: " and a half",
        long_link: "the link I'm sending you",
        code: "I've left out the code.",
    },
    maths: Maths {
        divided: "divided by",
        no_less: "is greater than or equal to",
        no_more: "is less than or equal to",
        unequal: "is not equal to",
        squared: "squared",
        cubed: "cubed",
        power: "to the power of",
        root: "the square root of",
    },
    million_of: |_| "",
    cents_join: " and ",
    cents_named: true,
    own: &DOLLAR,
    currencies: &[
        DOLLAR,
        currency(&["€", "EUR"], noun("euro", "euros", ANY), noun("cent", "cents", ANY)),
        cents(
            &["p"],
            currency(&["£", "GBP"], noun("pound", "pounds", ANY), noun("penny", "pence", ANY)),
        ),
        currency(&["R$", "BRL"], noun("real", "reais", ANY), noun("centavo", "centavos", ANY)),
        currency(&["¥", "JPY"], noun("yen", "yen", ANY), noun("", "", ANY)),
        currency(&["CHF"], noun("franc", "francs", ANY), noun("centime", "centimes", ANY)),
        currency(
            &["₹", "INR", "Rs.", "Rs"],
            noun("rupee", "rupees", ANY),
            noun("paisa", "paise", ANY),
        ),
        currency(
            &["MXN", "MX$", "ARS", "CLP", "COP"],
            noun("peso", "pesos", ANY),
            noun("centavo", "centavos", ANY),
        ),
        currency(
            &["A$", "AU$", "AUD"],
            noun("Australian dollar", "Australian dollars", ANY),
            noun("cent", "cents", ANY),
        ),
        currency(
            &["C$", "CA$", "CAD"],
            noun("Canadian dollar", "Canadian dollars", ANY),
            noun("cent", "cents", ANY),
        ),
    ],
    multipliers: &[
        multiplier(&["k", "K", "thousand"], 1000, noun("thousand", "thousand", ANY)),
        multiplier(&["M", "m", "mn", "million"], 1_000_000, noun("million", "million", ANY)),
        multiplier(&["bn", "B", "billion"], 1_000_000_000, noun("billion", "billion", ANY)),
        multiplier(&["L", "lakh", "lakhs"], 100_000, noun("lakh", "lakh", ANY)),
        multiplier(&["Cr", "cr", "crore", "crores"], 10_000_000, noun("crore", "crore", ANY)),
    ],
    units: &[
        unit(&["km"], noun("kilometer", "kilometers", ANY)),
        unit(&["m"], noun("meter", "meters", ANY)),
        unit(&["cm"], noun("centimeter", "centimeters", ANY)),
        unit(&["mm"], noun("millimeter", "millimeters", ANY)),
        unit(&["mi"], noun("mile", "miles", ANY)),
        unit(&["″"], noun("inch", "inches", ANY)),
        unit(&["ft", "′"], noun("foot", "feet", ANY)),
        unit(&["kg"], noun("kilogram", "kilograms", ANY)),
        unit(&["g"], noun("gram", "grams", ANY)),
        unit(&["mg"], noun("milligram", "milligrams", ANY)),
        unit(&["lb", "lbs"], noun("pound", "pounds", ANY)),
        unit(&["oz"], noun("ounce", "ounces", ANY)),
        unit(&["l", "L"], noun("liter", "liters", ANY)),
        unit(&["ml", "mL"], noun("milliliter", "milliliters", ANY)),
        unit(&["cl"], noun("centiliter", "centiliters", ANY)),
        unit(&["m²", "m2", "sqm"], noun("square meter", "square meters", ANY)),
        unit(&["km²", "km2"], noun("square kilometer", "square kilometers", ANY)),
        unit(&["m³", "m3"], noun("cubic meter", "cubic meters", ANY)),
        unit(&["km/h", "kph"], noun("kilometer per hour", "kilometers per hour", ANY)),
        unit(&["mph"], noun("mile per hour", "miles per hour", ANY)),
        unit(&["°C", "ºC", "℃"], noun("degree Celsius", "degrees Celsius", ANY)),
        unit(&["°F", "ºF"], noun("degree Fahrenheit", "degrees Fahrenheit", ANY)),
        unit(&["°"], noun("degree", "degrees", ANY)),
        unit(&["h", "hr", "hrs"], noun("hour", "hours", ANY)),
        unit(&["min", "mins"], noun("minute", "minutes", ANY)),
        unit(&["s", "sec", "secs"], noun("second", "seconds", ANY)),
        unit(&["ms"], noun("millisecond", "milliseconds", ANY)),
        unit(&["kB", "KB"], noun("kilobyte", "kilobytes", ANY)),
        unit(&["MB"], noun("megabyte", "megabytes", ANY)),
        unit(&["GB"], noun("gigabyte", "gigabytes", ANY)),
        unit(&["TB"], noun("terabyte", "terabytes", ANY)),
        unit(&["Mbps", "Mbit/s"], noun("megabit per second", "megabits per second", ANY)),
        unit(&["W"], noun("watt", "watts", ANY)),
        unit(&["kW"], noun("kilowatt", "kilowatts", ANY)),
        unit(&["kWh"], noun("kilowatt hour", "kilowatt hours", ANY)),
        unit(&["V"], noun("volt", "volts", ANY)),
        unit(&["x"], noun("time", "times", ANY)),
    ],
    months: [
        &["January", "Jan"],
        &["February", "Feb"],
        &["March", "Mar"],
        &["April", "Apr"],
        &["May"],
        &["June", "Jun"],
        &["July", "Jul"],
        &["August", "Aug"],
        &["September", "Sept", "Sep"],
        &["October", "Oct"],
        &["November", "Nov"],
        &["December", "Dec"],
    ],
    weekdays: [
        &["Monday", "Mon"],
        &["Tuesday", "Tues", "Tue"],
        &["Wednesday", "Wed"],
        &["Thursday", "Thurs", "Thu"],
        &["Friday", "Fri"],
        &["Saturday", "Sat"],
        &["Sunday", "Sun"],
    ],
    day_to_month: &[" ", "\u{a0}"],
    month_to_year: &[", ", " "],
    hour_units: "",
    parts: [
        ("half", "halves"),
        ("third", "thirds"),
        ("quarter", "quarters"),
        ("fifth", "fifths"),
        ("sixth", "sixths"),
        ("seventh", "sevenths"),
        ("eighth", "eighths"),
        ("ninth", "ninths"),
        ("tenth", "tenths"),
    ],
    ordinal_marks: &[("st", ANY), ("nd", ANY), ("rd", ANY), ("th", ANY)],
    dotted_ordinals: None,
    list: "First, Second, Third, Fourth, Fifth, Sixth, Seventh, Eighth, Ninth, Tenth",
    replacements: &[
        ("e.g.", "for example"),
        ("i.e.", "that is"),
        ("etc.", "et cetera"),
        ("approx.", "approximately"),
        ("Mr.", "Mister"),
        ("Mrs.", "Missus"),
        ("Dr.", "Doctor"),
        ("vs.", "versus"),
        ("w/o", "without"),
        ("24/7", "twenty-four seven"),
    ],
    cues: &cues::ENGLISH,
    not_counted: "is, was, has, as, this, its, his, hers, ours, yours, plus, minus, times, does, goes, \
                  ships, leaves, departs, lands, boards, comes, runs, gets, takes, seems, stays, closes, opens, says, returns, arrives, costs, needs, includes, contains, expires, starts, ends, \
                  lets, means, gives, works, shows, looks, remains, belongs, always, perhaps, us, \
                  yes, thus, unless, across, towards, besides, afterwards, status",
    feminine_endings: "",
    masculine: "",
};
