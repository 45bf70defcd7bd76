//! English. American number words, since "one hundred twenty" is understood everywhere.

use super::super::language::{
    Answers, Date, Form, Half, Language, PersonRequests, Search, Stops, Time, Words, currency,
    multiplier, noun, unit,
};
use super::{entry, triples, wishes};

const BELOW_TWENTY: &str = "zero, one, two, three, four, five, six, seven, eight, nine, ten, \
                            eleven, twelve, thirteen, fourteen, fifteen, sixteen, seventeen, \
                            eighteen, nineteen";
const TENS: &str = "-, -, twenty, thirty, forty, fifty, sixty, seventy, eighty, ninety";

/// Lists the ordinals that are not the number with "th".
const ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

fn cardinal(n: u64, _: Form) -> String {
    words(n)
}

fn words(n: u64) -> String {
    let (millions, thousands, rest) = triples(n);
    let mut parts = Vec::new();
    if millions >= 1000 {
        parts.push(format!("{} billion", words(millions / 1000)));
    }
    if millions % 1000 > 0 {
        parts.push(format!("{} million", words(millions % 1000)));
    }
    if thousands > 0 {
        parts.push(format!("{} thousand", words(thousands)));
    }
    if rest >= 100 {
        parts.push(format!("{} hundred", entry(BELOW_TWENTY, rest / 100)));
    }
    match rest % 100 {
        0 if n > 0 => {}
        small @ 0..20 => parts.push(entry(BELOW_TWENTY, small).to_owned()),
        tens if tens % 10 == 0 => parts.push(entry(TENS, tens / 10).to_owned()),
        both => {
            let (tens, ones) = (entry(TENS, both / 10), entry(BELOW_TWENTY, both % 10));
            parts.push(format!("{tens}-{ones}"));
        }
    }
    parts.join(" ")
}

fn ordinal(n: u64, _: Form) -> String {
    let cardinal = words(n);
    let start = cardinal.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (head, last) = cardinal.split_at(start);
    match ORDINALS.iter().find(|(number, _)| *number == last) {
        Some((_, ordinal)) => format!("{head}{ordinal}"),
        None if last.ends_with('y') => format!("{}ieth", &cardinal[..cardinal.len() - 1]),
        None => format!("{cardinal}th"),
    }
}

fn year(n: u64) -> String {
    let (century, rest) = (n / 100, n % 100);
    match (century, rest) {
        (20, 0..10) | (_, 0) if century % 10 == 0 => words(n),
        (_, 0) => format!("{} hundred", words(century)),
        (_, 1..10) => format!("{} oh {}", words(century), words(rest)),
        _ => format!("{} {}", words(century), words(rest)),
    }
}

fn date(date: Date, before: &str) -> String {
    let month = ENGLISH.months[date.month - 1][0];
    let day = ordinal(date.day, Form::Alone);
    let year = date.year.map(|n| format!(", {}", year(n))).unwrap_or_default();
    match (date.month_first, before) {
        (true, _) => format!("{month} {day}{year}"),
        (false, "the") => format!("{day} of {month}{year}"),
        (false, _) => format!("the {day} of {month}{year}"),
    }
}

fn time(time: Time) -> String {
    let hour = match time.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let mark = match time.half {
        Some(Half::Am) => " AM",
        Some(Half::Pm) => " PM",
        None if time.hour > 12 && time.hour < 24 => " PM",
        None if time.hour.is_multiple_of(24) => " AM",
        None if time.minute == 0 && !time.bare => " o'clock",
        None => "",
    };
    let minute = match time.minute {
        0 => String::new(),
        minute @ 1..10 => format!(" oh {}", words(minute)),
        minute => format!(" {}", words(minute)),
    };
    format!("{}{minute}{mark}", words(hour))
}

const ANY: Form = Form::Masculine;

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
    },
    stops: Stops {
        never_end: "mr, mrs, ms, dr, prof, st, vs, e.g, i.e, approx, rev, gen",
        may_end: "etc, a.m, p.m, am, pm, inc, ltd, co, jr, no, nos, p, pp, art, fig, vol, min, h, kg",
    },
    cardinal,
    ordinal,
    ordinal_form: |_| Form::Alone,
    year,
    date,
    time,
    decimal: '.',
    decimals_by_digit: true,
    singular_below_two: false,
    phone_in_pairs: false,
    seven_digit_phones: true,
    month_before_day: true,
    capital_names: true,
    capital_nouns: false,
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
    million_of: |_| "",
    cents_join: " and ",
    cents_named: true,
    currencies: &[
        currency(&["€", "EUR"], noun("euro", "euros", ANY), noun("cent", "cents", ANY)),
        currency(&["$", "US$", "USD"], noun("dollar", "dollars", ANY), noun("cent", "cents", ANY)),
        currency(&["£", "GBP"], noun("pound", "pounds", ANY), noun("penny", "pence", ANY)),
        currency(&["R$", "BRL"], noun("real", "reais", ANY), noun("centavo", "centavos", ANY)),
        currency(&["¥", "JPY"], noun("yen", "yen", ANY), noun("", "", ANY)),
        currency(&["CHF"], noun("franc", "francs", ANY), noun("centime", "centimes", ANY)),
        currency(&["₹", "INR"], noun("rupee", "rupees", ANY), noun("paisa", "paise", ANY)),
        currency(&["MXN"], noun("peso", "pesos", ANY), noun("centavo", "centavos", ANY)),
    ],
    multipliers: &[
        multiplier(&["k", "K", "thousand"], 1000, noun("thousand", "thousand", ANY)),
        multiplier(&["M", "m", "mn", "million"], 1_000_000, noun("million", "million", ANY)),
        multiplier(&["bn", "B", "billion"], 1_000_000_000, noun("billion", "billion", ANY)),
    ],
    units: &[
        unit(&["km"], noun("kilometer", "kilometers", ANY)),
        unit(&["m"], noun("meter", "meters", ANY)),
        unit(&["cm"], noun("centimeter", "centimeters", ANY)),
        unit(&["mm"], noun("millimeter", "millimeters", ANY)),
        unit(&["mi"], noun("mile", "miles", ANY)),
        unit(&["ft"], noun("foot", "feet", ANY)),
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
        unit(&["sec", "secs"], noun("second", "seconds", ANY)),
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
    day_cues: "",
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
    year_cues: "in, since, from, until, till, by, year, before, after, january, february, march, \
                april, may, june, july, august, september, october, november, december, spring, \
                summer, autumn, fall, winter",
    not_counted: "",
    feminine_endings: "",
    masculine: "",
};
