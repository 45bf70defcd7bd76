//! Reads customers of a table, as programs and spreadsheets save them.
//!
//! Before the store, which joins the rows to what is known. Invariant: each row is either taken or named
//! with its line; nothing is cut, guessed or left out in silence.

use std::collections::HashMap;

use crate::knowledge::{TableFile, TableRow};
use crate::store::CustomerPatch;
use crate::turn::{Customer, CustomerFields, FIELD_NAME_CHARS, Personal, phone_digits};
use crate::written::without_accents;

/// Lists the names of columns, in small letters, without accents and with `_` between words.
const PHONE: &str = "phone phone_number phonenumber phones mobile mobile_phone mobile_number cell cellphone \
    cell_phone tel telephone telephone_number whatsapp whatsapp_number wa_id waid msisdn telefon \
    telefonnummer telefon_nr rufnummer handy handynummer mobil mobilnummer mobiltelefon telefono \
    numero_de_telefono movil celular telefone telemovel telephone_portable portable \
    numero_de_telephone telefoon cellulare телефон";
const USER_ID: &str = "user_id userid whatsapp_user_id whatsapp_id bsuid";
const NAME: &str = "name full_name fullname customer customer_name contact_name display_name \
    kunde kundenname nombre nombre_completo cliente nome nome_completo nom nom_complet client naam имя";
const LANGUAGE: &str = "language lang locale sprache idioma langue lingua taal язык";
const FIRST_NAME: &str =
    "first_name firstname given_name forename vorname nombre_de_pila primeiro_nome prenom";
const LAST_NAME: &str = "last_name lastname family_name surname nachname familienname apellido apellidos \
    sobrenome apelido nom_de_famille";

/// Rows before that of the columns' names: a title, perhaps a date.
const TITLES: usize = 5;

/// Stands for a letter that a program could not read and has lost.
const LOST: char = '\u{fffd}';

/// Names what is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, and how to mend it.
    pub problem: String,
}

/// Holds what is in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerTable {
    /// The rows that can be taken.
    pub rows: Vec<CustomerPatch>,
    /// How many rows cannot.
    pub left_out: usize,
    /// What is wrong, in the order of the lines.
    pub problems: Vec<LineProblem>,
}

impl CustomerTable {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with the whole of it; then nothing can be taken.
    pub fn read(contents: &[u8]) -> Result<Self, String> {
        let names_anybody = |header: &[String]| PeopleColumns::new(header).is_some();
        let TableFile { rows, separator, other_encoding } =
            TableFile::read(contents, names_anybody)?;
        let header =
            rows.iter().take(TITLES).position(|row| PeopleColumns::new(&row.cells).is_some());
        let Some(header) = header else { return Err(no_columns(rows.first())) };
        let (columns, mut table) = (PeopleColumns::new(&rows[header].cells), Self::default());
        let columns = columns.expect("it was found by them");
        let mut seen = SeenBefore::default();
        for row in rows.into_iter().skip(header + 1) {
            let line = row.line;
            let broken = other_encoding.binary_search(&line).is_ok();
            let read = columns.patch(row, separator).and_then(|(patch, more)| {
                seen.first(&patch)?;
                Ok((patch, more))
            });
            match read {
                Ok((patch, more)) => {
                    let other = broken.then(|| {
                        "is in another encoding than the rest, and was read in its own: see that \
                         its letters are right"
                            .to_owned()
                    });
                    for problem in other.into_iter().chain(more) {
                        table.problems.push(LineProblem { line, problem });
                    }
                    table.rows.push(patch);
                }
                Err(problem) => {
                    table.left_out += 1;
                    table.problems.push(LineProblem { line, problem });
                }
            }
        }
        Ok(table)
    }
}

/// Says that a file has no column to know people by.
fn no_columns(first: Option<&TableRow>) -> String {
    let Some(first) = first else { return "the file has no rows".to_owned() };
    // What is no header is somebody's data.
    let names = first.cells.iter().filter(|cell| cell.chars().all(|c| !c.is_ascii_digit()));
    let names: Vec<&str> = names.map(String::as_str).take(8).collect();
    format!(
        "the first row must name the columns, one of them phone or user_id, such as \
         phone,name,language; it has: {}",
        names.join(", ")
    )
}

/// Remembers on which line each number and id was.
#[derive(Default)]
struct SeenBefore(HashMap<String, u64>);

impl SeenBefore {
    /// Notes a row; says which earlier one has its number or id.
    fn first(&mut self, patch: &CustomerPatch) -> Result<(), String> {
        let keys = [("phone number", '+', &patch.phone), ("user id", '@', &patch.user_id)];
        let keys: Vec<(&str, String)> = keys
            .into_iter()
            .filter_map(|(what, mark, id)| Some((what, format!("{mark}{}", id.as_ref()?.reveal()))))
            .collect();
        for (what, key) in &keys {
            if let Some(line) = self.0.get(key) {
                return Err(format!(
                    "has the {what} of line {line}, which is taken; this line is left out"
                ));
            }
        }
        self.0.extend(keys.into_iter().map(|(_, key)| (key, patch.line)));
        Ok(())
    }
}

/// Holds what the header says.
struct PeopleColumns {
    phones: Vec<usize>,
    user_id: Option<usize>,
    name: Option<usize>,
    language: Option<usize>,
    first_name: Option<usize>,
    last_name: Option<usize>,
    /// The columns that are kept as fields, with their names.
    fields: Vec<(usize, String)>,
    /// How many there are.
    count: usize,
}

impl PeopleColumns {
    /// Reads a header; `None` if it names no column to know people by.
    fn new(header: &[String]) -> Option<Self> {
        let names: Vec<String> = header.iter().map(|name| key(name)).collect();
        let is = |name: &str, known: &str| known.split_whitespace().any(|known| known == name);
        let find = |known: &str| names.iter().position(|name| is(name, known));
        let phones = names.iter().enumerate().filter(|(_, name)| is(name, PHONE));
        let phones: Vec<usize> = phones.map(|(at, _)| at).collect();
        let (user_id, name, language) = (find(USER_ID), find(NAME), find(LANGUAGE));
        if phones.is_empty() && user_id.is_none() {
            return None;
        }
        let taken = [phones.first().copied(), user_id, name, language];
        let mut fields: Vec<(usize, String)> = Vec::new();
        for (at, written) in header.iter().enumerate() {
            if taken.contains(&Some(at)) {
                continue;
            }
            let written: String = written.chars().take(FIELD_NAME_CHARS).collect();
            let base = if written.is_empty() { format!("column {}", at + 1) } else { written };
            let same = fields.iter().filter(|(_, name)| *name == base).count();
            let again = same > 0;
            fields.push((at, if again { format!("{base} (column {})", at + 1) } else { base }));
        }
        let (first_name, last_name) = (find(FIRST_NAME), find(LAST_NAME));
        Some(Self {
            phones,
            user_id,
            name,
            language,
            first_name,
            last_name,
            fields,
            count: header.len(),
        })
    }

    /// Reads a row; returns what is to be said of it all the same. The error is why it cannot be taken.
    fn patch(
        &self,
        TableRow { line, mut cells }: TableRow,
        separator: char,
    ) -> Result<(CustomerPatch, Vec<String>), String> {
        if cells.iter().skip(self.count).any(|cell| !cell.is_empty()) {
            let (has, wanted, separator) = (cells.len(), self.count, separator.escape_default());
            return Err(format!(
                "has {has} columns where the header has {wanted}: put a text that contains \
                 {separator} into quotes"
            ));
        }
        if cells.len() < self.count && cells.iter().any(|cell| cell.contains('\n')) {
            let problem = "has a text of several lines and too few columns: a quotation mark is not \
                           closed, and what follows it is not read";
            return Err(problem.to_owned());
        }
        cells.resize(self.count, String::new());
        let written = self.phones.iter().map(|at| &cells[*at]).find(|cell| !cell.is_empty());
        let phone = match written {
            Some(written) => {
                Some(phone_digits(written).map_err(|why| format!("the phone number {why}"))?)
            }
            None => None,
        };
        let user_id = self.user_id.map(|at| cells[at].clone()).filter(|id| !id.is_empty());
        if phone.is_none() && user_id.is_none() {
            return Err("has no phone number and no user id".to_owned());
        }
        let mut more = Vec::new();
        if cells.iter().any(|cell| cell.contains(LOST)) {
            more.push(format!("has {LOST}, where a letter was lost before the file was saved"));
        }
        let mut fields: Vec<(String, Personal)> = (self.fields.iter())
            .map(|(at, name)| (name.clone(), Personal(cells[*at].clone())))
            .collect();
        let language = self.language.map(|at| language_of(&cells[at], &mut fields, &mut more));
        let patch = CustomerPatch {
            line,
            user_id: user_id.map(Personal),
            phone: phone.map(Personal),
            name: self.name_of(&cells),
            language,
            fields,
        };
        match patch.joined(&Customer::default()).too_long() {
            Some((key, problem)) => Err(format!("{key} {problem}: shorten it")),
            None => Ok((patch, more)),
        }
    }

    /// Returns the name of a row, of two columns if need be; `None` if there is no column for it.
    fn name_of(&self, cells: &[String]) -> Option<Personal> {
        if let Some(at) = self.name {
            return Some(Personal(cells[at].clone()));
        }
        let parts: Vec<&str> = [self.first_name, self.last_name]
            .into_iter()
            .flatten()
            .map(|at| cells[at].as_str())
            .collect();
        (!parts.is_empty()).then(|| Personal(parts.join(" ").trim().to_owned()))
    }
}

/// Returns the code of a language; what is none is kept as a field and said.
fn language_of(
    written: &str,
    fields: &mut Vec<(String, Personal)>,
    more: &mut Vec<String>,
) -> String {
    let mut customer = Customer::default();
    if !written.is_empty() && !customer.set_language(written) {
        more.push(
            "has a language that is not known, and is kept as a field: write a code such as de"
                .to_owned(),
        );
    }
    let other = if customer.fields == CustomerFields::default() { "" } else { written };
    fields.push(("language".to_owned(), other.into()));
    customer.language.map(|language| language.to_string()).unwrap_or_default()
}

/// Returns the name of a column as it is looked for.
fn key(name: &str) -> String {
    let name = without_accents(&name.to_lowercase());
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(contents: &str) -> CustomerTable {
        CustomerTable::read(contents.as_bytes()).unwrap()
    }

    fn phones(table: &CustomerTable) -> Vec<&str> {
        table.rows.iter().map(|row| row.phone.as_ref().map_or("", Personal::reveal)).collect()
    }

    #[test]
    fn columns_are_found_by_their_names_and_others_are_fields() {
        let table =
            read("Kunde;Telefon-Nr.;Sprache;Tarif;;Tarif\nAnn;+49 30 1234567;de-DE;Gold;x;7\n");
        let row = &table.rows[0];
        let customer = row.joined(&Customer::default());
        let fields = serde_json::to_string(&customer.fields).unwrap();
        assert_eq!(phones(&table), ["49301234567"]);
        assert_eq!((customer.name, customer.language), (Some("Ann".into()), Some("de".into())));
        assert_eq!(fields, r#"{"Tarif":"Gold","column 5":"x","Tarif (column 6)":"7"}"#);
        assert!(table.problems.is_empty(), "{:?}", table.problems);
    }

    #[test]
    fn a_name_of_two_columns_and_a_second_number_are_used() {
        let table = read("First Name,Last Name,Phone,Mobile\nAnn,Lee,,+1 415 555 0100\n");
        assert_eq!(phones(&table), ["14155550100"]);
        assert_eq!(table.rows[0].name, Some("Ann Lee".into()));
    }

    #[test]
    fn what_cannot_be_taken_is_named_with_its_line_and_the_rest_is_taken() {
        let table = read(
            "phone,name,language,plan\n+49301234567,Ann,de,gold\n\n0049 30 1234567,Eve,,\nnobody,Bob,,\n\
             ,Cy,,\n+4930111111,Dan,Klingon,x\n+4930222222,Fay,en,a,b\n4.9E+11,Gus,,\n\
             +4930333333,H\u{fffd}na,,\n+4930444444,\"Ida,,\n\
             +4930555555,Jo,,\n",
        );
        assert_eq!(phones(&table), ["49301234567", "4930111111", "4930333333"]);
        let problems: Vec<String> =
            table.problems.iter().map(|one| format!("{} {}", one.line, one.problem)).collect();
        for (found, expected) in problems.iter().zip([
            "4 has the phone number of line 2, which is taken",
            "5 the phone number is no phone number",
            "6 has no phone number and no user id",
            "7 has a language that is not known",
            "8 has 5 columns where the header has 4: put a text that contains , into quotes",
            "9 the phone number is a number that a spreadsheet has rounded",
            "10 has \u{fffd}, where a letter was lost",
            "11 has a text of several lines and too few columns",
        ]) {
            assert!(found.starts_with(expected), "{found}");
        }
        assert_eq!((problems.len(), table.left_out), (8, 6));
        let dan = table.rows[1].joined(&Customer::default());
        assert!(serde_json::to_string(&dan.fields).unwrap().contains(r#""language":"Klingon""#));
    }

    #[test]
    fn a_file_without_a_column_of_people_is_refused_without_their_data() {
        let refused = CustomerTable::read(b"Ann,+4930123456\nBob,+4930123457\n").unwrap_err();
        assert!(refused.contains("phone or user_id") && !refused.contains("4930"), "{refused}");
        assert_eq!(CustomerTable::read(b"").unwrap_err(), "the file has no rows");
        let title = read("Our customers;;\n;;\nphone;name;\n+4930123456;Ann;\n");
        assert_eq!(phones(&title), ["4930123456"]);
    }
}
