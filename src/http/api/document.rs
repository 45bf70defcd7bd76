//! The OpenAPI document: what the handlers say of themselves, and what is the same for all of them.

use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, HttpMethod, OpenApi, PathItem, Ref, RefOr, Required,
    ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::problem::{FieldProblem, PROBLEM_JSON, ProblemDetails};
use crate::telemetry::VERSION;

/// Name of the way to show a token.
const BEARER: &str = "token";

/// Adds to every operation its problems, its headers and its token.
pub(super) fn complete(document: &mut OpenApi) {
    "hark".clone_into(&mut document.info.title);
    VERSION.clone_into(&mut document.info.version);
    document.info.description = Some(
        "Numbers, agents, customers, tokens, turns and contacts of a hark that runs. Every error is a problem of \
         RFC 9457. An object has a version, its `ETag`; who changes it sends that as `If-Match`."
            .to_owned(),
    );
    let components = document.components.get_or_insert_with(Components::new);
    for (name, schema) in [
        (ProblemDetails::name(), ProblemDetails::schema()),
        (FieldProblem::name(), FieldProblem::schema()),
    ] {
        components.schemas.insert(name.into_owned(), schema);
    }
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    for (path, item) in &mut document.paths.paths {
        each(item, |method, operation| describe(path, &method, operation));
    }
}

/// Visits the operations of a path.
fn each(item: &mut PathItem, mut visit: impl FnMut(HttpMethod, &mut Operation)) {
    let PathItem { get, put, post, delete, .. } = item;
    for (method, operation) in [
        (HttpMethod::Get, get),
        (HttpMethod::Put, put),
        (HttpMethod::Post, post),
        (HttpMethod::Delete, delete),
    ] {
        if let Some(operation) = operation {
            visit(method, operation);
        }
    }
}

fn describe(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let (has_body, reads) = (operation.request_body.is_some(), *method == HttpMethod::Get);
    let token: [&str; 0] = [];
    operation.security = Some(vec![SecurityRequirement::new(BEARER, token)]);
    let mut problems = vec![
        (400, "A part of the request cannot be read"),
        (401, "There is no token, or it is not known"),
        (403, "The token does not allow this"),
        (503, "The store is away, or it was not done in time: try again"),
    ];
    // These name a conversation in the query or the body.
    if path.contains('{') || path.ends_with("/tickets") || path.ends_with("/events") {
        problems.push((404, "There is no such thing"));
    }
    if path.contains("/audio/") {
        problems.push((416, "The file has no such range"));
    }
    if has_body {
        problems.extend([
            (408, "The body did not come in time"),
            (413, "The body is too large"),
            (415, "The body is of another type"),
            (422, "Something in the body cannot be used"),
        ]);
    }
    if !reads {
        problems.push((409, "It is there already, in use, or set in the configuration file"));
    }
    let is_versioned = (path.contains("/numbers/") || path.contains("/agents/"))
        && !path.contains("/knowledge")
        || ["/customers/{", "/operators/{", "/event-webhooks/{"]
            .iter()
            .any(|one| path.contains(one))
            && *method == HttpMethod::Put;
    if is_versioned && !reads && !path.ends_with("/check") {
        problems.extend([(412, "It has another version by now"), (428, "If-Match is missing")]);
        let text = "The ETag of the version that is changed";
        header(operation, "If-Match", text, true, HeaderHolds::Version);
    }
    if *method == HttpMethod::Post && has_body {
        let text = "The same key and the same request get the same answer for a day";
        header(operation, "Idempotency-Key", text, false, HeaderHolds::Key);
    }
    for (status, text) in problems {
        let schema = Ref::from_schema_name(ProblemDetails::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let problem =
            ResponseBuilder::new().description(text).content(PROBLEM_JSON, content).build();
        operation.responses.responses.insert(status.to_string(), RefOr::T(problem));
    }
}

/// Names what a header holds.
#[derive(Clone, Copy)]
enum HeaderHolds {
    Version,
    Key,
}

fn header(operation: &mut Operation, name: &str, text: &str, required: bool, holds: HeaderHolds) {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    let schema = match holds {
        HeaderHolds::Version => schema.pattern(Some("^\"[0-9]{1,9}\"$")),
        HeaderHolds::Key => schema.min_length(Some(1)).max_length(Some(255)),
    };
    let header = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .description(Some(text))
        .required(if required { Required::True } else { Required::False })
        .schema(Some(Schema::Object(schema.build())))
        .build();
    operation.parameters.get_or_insert_with(Vec::new).push(RefOr::T(header));
}
