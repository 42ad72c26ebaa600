package import Downstream
package import Flow
package import NIOHTTP1
import Observability

/// One of weir's own responses; only this type sets the fields that they have in common.
package struct OwnAnswer {
    package var status: HTTPResponseStatus
    /// All fields except `Date` and the framing.
    package var headers: HTTPHeaders
    package var text: String

    /// - Parameters:
    ///   - status: The status line's code and reason.
    ///   - type: The media type; `nil` for a response without content.
    ///   - text: The content.
    ///   - isStorable: Whether caches may store it (RFC 9111, section 5.2.2.5: `no-store` if not).
    package init(_ status: HTTPResponseStatus, type: String? = nil, text: String = "", isStorable: Bool = false) {
        (self.status, self.text) = (status, text)
        headers = [:]
        if let type { headers.add(name: "Content-Type", value: type) }
        if !isStorable { headers.add(name: "Cache-Control", value: "no-store") }
    }

    /// The response that reports a problem (RFC 9457).
    ///
    /// - Parameters:
    ///   - problem: The reported problem.
    ///   - accept: The request's `Accept`, which selects the media type; `nil` if it has none.
    ///   - style: How problems are written.
    init(_ problem: Problem, accept: String?, in style: ProblemStyle) {
        self.init(
            HTTPResponseStatus(statusCode: problem.status), type: ProblemMediaType(accept: accept).rawValue,
            text: problem.json(base: style.base) + "\n", isStorable: true)
        if let seconds = problem.retryAfter { headers.add(name: "Retry-After", value: String(seconds)) }
        if let methods = problem.allowed { headers.add(name: "Allow", value: methods) }
        if let name = style.proxyName { headers.add(name: "Proxy-Status", value: problem.proxyStatus(by: name)) }
    }

    /// All fields except the framing.
    ///
    /// - Parameter date: The value of `Date` (RFC 9110, section 6.6.1).
    /// - Returns: ``headers`` and `Date`.
    package func headers(date: String) -> HTTPHeaders {
        var headers = headers
        headers.add(name: "Date", value: date)
        return headers
    }

    /// The response to a request that is rejected.
    ///
    /// - Parameters:
    ///   - request: Its `Accept` selects the media type; `nil` if there is no valid request.
    ///   - problem: The reported problem.
    ///   - style: How problems are written.
    init(refusing request: Request?, with problem: Problem, in style: ProblemStyle) {
        self.init(problem, accept: request?.head.headers.first(name: "accept"), in: style)
    }

    /// Writes the whole response to a request; `nil` if there is no valid one.
    ///
    /// - Returns: The length of the body: a response to HEAD has none (RFC 9110, section 9.3.2).
    @discardableResult
    package func send(to response: any ClientResponse, for request: Request?, date: String) -> ByteCount {
        var headers = headers(date: date)
        if let fields = request?.crossOrigin { headers.add(contentsOf: fields) }
        response.respond(status, headers: headers, text: text)
        return request?.isHead == true ? .zero : ByteCount(text.utf8.count)
    }

    /// Writes the whole response.
    package func send(to response: any ClientResponse, date: String) {
        response.respond(status, headers: headers(date: date), text: text)
    }
}
