//! English.

use super::Cues;

pub(in super::super) static ENGLISH: Cues = Cues {
    codes: "verification, code, codes, pin, otp, password, passcode, cvv, cvc, tan, zip, postcode, iban, ssn, ein, \
            vat, ends, ending, digits, passport, serial, imei, sku, isbn, *code",
    named: "order, booking, reservation, reference, ref, account, ticket, invoice, receipt, tracking, \
            parcel, shipment, case, request, customer, member, membership, policy, id, confirmation, \
            flight, model, part, item, card, license, licence, transaction, registration, student, \
            employee, file, claim, room, apartment",
    calls: "call, dial, ring, phone, telephone, tel, mobile, cell, fax, whatsapp, emergency, \
            emergencies, helpline, hotline, extension, ext, police, ambulance",
    links: "is, are, was, be, as, no, nr, num, number, numbers, code, the, a, an, your, our, my, this, \
            with, in, on, at, us, me, them, or, and, id, verification, access, security, \
            confirmation, called",
    is: "is, are, was, as, no, nr, num, number",
    counted: "people, men, women, children, feet, more, extra, additional, other, new",
    choices: "press, option, options, choose, type, enter, reply, select, send, say, key, or",
    sources: "source, sources, doc, document, ref, reference, citation, cite, file, passage, web, \
              search, context",
    versions: "version, versions, v, release, firmware, build, update",
    years: "in, since, from, until, till, by, year, before, after, january, february, march, april, \
            may, june, july, august, september, october, november, december, spring, summer, autumn, \
            fall, winter",
    days: "",
    decades: "*",
    clock: "at, by, until, till, from, since, before, after, around, starts, opens, closes, time, to",
    lasts: "lasts, lasted, last, takes, took, take, runs, duration, length, runtime, long, for, within, \
            about, wait, every, only, up, in, finished",
    long: "long, min, mins, minutes",
    hours: "open, opens, hours, daily, weekdays, weekends, everyday, opening",
    until: "to, through, thru, till, until",
    chapters: "chapter, chapters, act, acts, part, parts, volume, vol, book, section, phase, type, \
               class, level, stage, grade, war, bowl, title, article, appendix, annex, figure, table, \
               scene, unit, module, round, season, episode, apollo",
    centuries: "century, centuries",
    kings: "henry, charles, george, louis, edward, james, william, richard, philip, napoleon, pius, \
            benedict, paul, francis, leo, john, peter, ivan, nicholas, alexander, frederick, wilhelm, \
            gregory, innocent, clement, urban, ramses, ptolemy, xerxes, darius, ferdinand, albert, \
            leopold, baldwin, harald, gustav, christian, alfonso, juan, felipe, pedro, umberto",
    queens: "elizabeth, mary, catherine, margaret, isabella, anne, cleopatra, wilhelmina, margrethe",
    callouts: "Note, Tip, Important, Warning, Caution",
    per: &[
        ("mo", "month"),
        ("mth", "month"),
        ("yr", "year"),
        ("wk", "week"),
        ("hr", "hour"),
        ("d", "day"),
        ("pp", "person"),
        ("ea", "piece"),
    ],
};
