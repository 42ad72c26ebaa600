import Flow
import Foundation
import Proxy

/// The name of a breaker in the body of `POST /v1/admin/breakers/reset`, with the same members as in the snapshot.
struct BreakerName: Equatable, Sendable {
    /// More than any name needs.
    static let maximumBytes = ByteCount.kibibytes(4)

    let route: String
    let kind: BreakerKind
    /// The client or the upstream, as in the snapshot.
    let name: String

    /// Reads `{"route":…,"kind":"client","client":…}` or the same with `upstream`; other members are ignored.
    ///
    /// - Throws: The problem of a malformed body.
    /// - Complexity: O(n), of at most ``maximumBytes``.
    init(_ bytes: [UInt8]) throws(Problem) {
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(bytes)),
            let name = members.kind == .client ? members.client : members.upstream
        else {
            throw .invalidRequest("The body must name a breaker by route, kind, and client or upstream")
        }
        (route, kind, self.name) = (members.route, members.kind, name)
    }

    private struct Members: Decodable {
        let route: String
        let kind: BreakerKind
        let client: String?
        let upstream: String?
    }
}
