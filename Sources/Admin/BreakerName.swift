import Flow
import Foundation
import Proxy

/// The name of a breaker in the body of `POST /v1/admin/breakers/reset`, by the members that the snapshot has of it.
struct BreakerName: Equatable, Sendable {
    /// Far more than a name needs.
    static let maximumBytes = ByteCount.kibibytes(4)

    let route: String
    let kind: BreakerKind
    /// Whose it is, as the snapshot shows it.
    let name: String

    /// Reads `{"route":…,"kind":"client","client":…}` or the same with `upstream`; other members are ignored.
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
        let kind: BreakerKind
        let client: String?
        let upstream: String?
    }
}
