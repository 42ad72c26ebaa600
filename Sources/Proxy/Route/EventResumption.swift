import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings

extension ProxyRoute {
    /// The key by which a request finds its stream with `Last-Event-ID`, and its own stream is found later.
    ///
    /// - Returns: `nil` if the route does not resume by events, or the request must not be resumed without its stream's id.
    func resumptionKey(of request: Request, from client: ClientKey) -> ResumptionKey? {
        guard resumesByEvents, request.head.method == .GET, !request.hasBody else { return nil }
        let headers = request.head.headers
        return ResumptionKey(
            of: .init(
                route: name, client: client, isClientProved: isProof(client, of: request), isSecure: request.isSecure,
                authority: request.authority, target: request.head.uri)
        ) { headers[$0] }
    }

    /// Whether a client's key is a credential of the request; clients without the header share one key, which is none.
    private func isProof(_ client: ClientKey, of request: Request) -> Bool {
        switch settings.clientKey {
        case .address: false
        // What proxies report of a client is mostly its address, and anyone could send it.
        case .header(let name): !client.text.isEmpty && !name.isSetByProxies
        case .certificate: request.certificate != nil
        }
    }
}

extension HTTPHeaders {
    /// The id of the last event that an EventSource has received (HTML, section 9.2.4); `nil` if there is none.
    var lastEventId: RecordKey? {
        guard let id = first(name: "last-event-id"), !id.isEmpty else { return nil }
        return (FieldText.bytes(id) ?? Array(id.utf8)).withUnsafeBytes { RecordKey($0) }
    }
}
