import HTTPText

/// A request's method as the semantic conventions for HTTP have it: one of a few, as clients choose it.
struct SpanMethod: Equatable {
    /// The first part of a span's name.
    let spanName: String
    let attributes: [Attribute]

    init(_ method: String) {
        if MethodSemantics.standard.contains(method) {
            spanName = method
            attributes = [Attribute("http.request.method", method)]
        } else {
            spanName = "HTTP"
            attributes = [
                Attribute("http.request.method", "_OTHER"), Attribute("http.request.method_original", method),
            ]
        }
    }
}
