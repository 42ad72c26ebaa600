import Downstream
import Flow
import NIOHTTP1
import Observability

extension Shared {
    /// Answers with a problem instead of what was asked for.
    ///
    /// - Parameters:
    ///   - problem: Why not.
    ///   - request: Says which media type is wanted; `nil` where what came is no request.
    ///   - response: Where the answer goes.
    /// - Returns: The bytes of the body.
    func answer(_ problem: Problem, to request: Request?, response: any ClientResponse) -> ByteCount {
        var headers = HTTPHeaders([
            ("Content-Type", Problem.contentType(accept: request?.head.headers.first(name: "accept"))),
            ("Date", date.text(at: Timestamp.now())),
        ])
        if let seconds = problem.retryAfter { headers.add(name: "Retry-After", value: String(seconds)) }
        if let methods = problem.allowed { headers.add(name: "Allow", value: methods) }
        if let challenge = problem.challenge { headers.add(name: "WWW-Authenticate", value: challenge) }
        let text = problem.json(base: served.problemBase) + "\n"
        response.respond(HTTPResponseStatus(statusCode: problem.status), headers: headers, text: text)
        return request?.head.method == .HEAD ? .zero : ByteCount(text.utf8.count)
    }
}
