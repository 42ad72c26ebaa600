import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings

// Steps of ``RequestPipeline`` that need only the head.

extension Request {
    /// The URL of the same resource over TLS; `nil` if the request, of HTTP/1.0, has no host: a path alone would lead back here.
    func secureURL(port: Int) -> String? {
        guard let host else { return nil }
        let authority = Authority.text(host: host, port: port == 443 ? nil : port)
        return "https://" + authority + (head.uri == "*" ? "" : head.uri)
    }
}

extension ProxyRoute {
    /// Rejects a body before any of it has arrived.
    func checkBody(of request: Request) throws(Problem) {
        // RFC 9110, section 9.3.2: it has no meaning, and libcurl would not send it.
        guard !request.hasBody || !request.isHead else { throw .bodyOfHeadNotImplemented }
        guard let limit = settings.maximumBodyBytes, let length = request.bodyLength.bytes else { return }
        guard length <= limit.bytes else { throw .bodyTooLarge(limit: limit) }
    }

    /// The terms that the negotiation headers of a request get, under the policy of the client's tier.
    func terms(for request: Request, tier: String?) throws(Problem) -> Terms {
        let policy = policy(of: tier)
        do throws(NegotiationError) {
            let preferences = try StreamPreferences(
                bufferSize: request.values(of: StreamPreferences.bufferSizeHeader),
                rateLimit: request.values(of: StreamPreferences.rateLimitHeader),
                strictness: policy.strictness)
            return try policy.terms(for: preferences)
        } catch {
            throw Problem(error)
        }
    }

    /// The methods in the response to OPTIONS (RFC 9110, section 9.3.7).
    ///
    /// Without TRACE, which would return a request to the page that sent it.
    var allowedMethods: String {
        let methods = settings.match.methods.isEmpty ? MethodSemantics.standard : settings.match.methods
        return methods.filter { $0 != "CONNECT" && $0 != "TRACE" }.joined(separator: ", ")
    }
}

extension ResumeRequest {
    /// The value of a request's header; `nil` if it was not sent.
    static func sent(in request: Request) throws(Problem) -> ResumeRequest? {
        let values = request.values(of: Self.header)
        guard !values.isEmpty else { return nil }
        guard values.count == 1, let request = ResumeRequest(values[0]) else {
            throw .invalidRequest("\(Self.header) must be a stream's id and ;after= with a number of records")
        }
        return request
    }
}
