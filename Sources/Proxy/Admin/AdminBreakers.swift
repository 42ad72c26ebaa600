import Downstream
import Flow
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Observability
import Settings

/// Which breaker is meant: the body of `POST /v1/admin/breakers/reset`, with the members that the snapshot shows of it.
struct BreakerName: Equatable, Sendable {
    /// Far more than any name needs.
    static let maximumBytes = ByteCount.kibibytes(4)

    let route: String
    let kind: AdmissionGate.BreakerKind
    /// Whose it is, as it is shown.
    let name: String

    /// Reads `{"route":…,"kind":"client","client":…}` or the same with `upstream`; what else the object holds is not looked at.
    ///
    /// - Throws: What is wrong with it, as a problem.
    /// - Complexity: O(n), of at most ``maximumBytes``.
    init(_ bytes: [UInt8]) throws(Problem) {
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(bytes)),
            let name = members.kind == .client ? members.client : members.upstream
        else {
            throw .invalidRequest("The body must be a breaker as the snapshot shows it: route, kind and whose it is")
        }
        (route, kind, self.name) = (members.route, members.kind, name)
    }

    private struct Members: Decodable {
        let route: String
        let kind: AdmissionGate.BreakerKind
        let client: String?
        let upstream: String?
    }
}

extension AdmissionGate.BreakerKind: Decodable {}

extension ProxyRoute {
    /// Closes a breaker that is not closed, as if nothing had failed; its probes no longer count.
    ///
    /// - Returns: Whether there was one of this name.
    /// - Complexity: O(clients that have failed lately), under the gate's lock.
    func resetBreaker(_ kind: AdmissionGate.BreakerKind, of name: String, at now: Instant) -> Bool {
        let hasClosed = gate.withState { gate in
            switch kind {
            case .upstream: return gate.upstreams.reset(name, at: now)
            case .client:
                // A shown name may be cut or hashed: whoever bears it is meant.
                let standing = gate.clientBreakers?.standing(atMost: .max, at: now) ?? []
                let meant = standing.filter { shown($0.client) == name }
                for breaker in meant { gate.clientBreakers?.reset(breaker.client, at: now) }
                return !meant.isEmpty
            }
        }
        if hasClosed { gate.breakerChanged(kind, .closed) }
        return hasClosed
    }
}

extension Shared {
    /// Closes the breaker that the body of a request names, and answers 204.
    func resetBreaker(_ request: Request, _ body: RequestBody, _ writer: any ConnectionResponse) {
        body.collect(upTo: BreakerName.maximumBytes, within: served.connectionLimits.headerTime) { [self] result in
            do throws(Problem) {
                switch result {
                case .failure(let failure): throw Problem(failure)
                case .success(let bytes):
                    let name = try BreakerName(Array(bytes.readableBytesView))
                    let route = served.routes.first { $0.name == name.route }
                    guard route?.resetBreaker(name.kind, of: name.name, at: Worker.now()) ?? false else {
                        throw .noSuchBreaker
                    }
                    process.notice(
                        "a breaker was reset by an operator",
                        metadata: ["route": "\(name.route)", "kind": "\(name.kind.rawValue)"])
                    writer.respond(
                        .noContent, headers: ["Cache-Control": "no-store", "Date": date.text(at: Timestamp.now())],
                        text: "")
                }
            } catch {
                _ = answer(error, to: request, response: writer)
            }
        }
    }
}
