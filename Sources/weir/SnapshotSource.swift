import Foundation
import LiveScreen

/// Asks for snapshots, one each interval; after failures ever less often.
struct SnapshotSource: Sendable {
    let address: AdminAddress
    let token: AdminToken
    /// In seconds.
    let interval: Double

    /// A reload or a restart should be seen soon, and nobody's log be filled until then; in seconds.
    private static let longestWait = 15.0

    /// What flows in one interval takes two snapshots: the first one's rates are those since anybody else asked.
    func twice() throws(AdminError) -> [AdminSnapshot] {
        let client = try AdminClient(address: address)
        let first = try snapshot(of: client)
        Thread.sleep(forTimeInterval: interval)
        return [first.read, try snapshot(of: client).read]
    }

    /// Writes the snapshots to standard output as they came, one a line.
    ///
    /// - Parameter once: Only one, of what flows in one interval.
    /// - Throws: With `once`, why there is none.
    func follow(once: Bool) throws(AdminError) {
        let client = try AdminClient(address: address)
        var wait = interval, isFirst = true
        while true {
            do throws(AdminError) {
                let json = try snapshot(of: client).json
                wait = interval
                if !isFirst || !once { StandardOutput.write(String(decoding: json, as: UTF8.self) + "\n") }
                if !isFirst && once { return }
                isFirst = false
            } catch {
                if once { throw error }
                StandardError.write("weir top: \(error.reason)\n")
                wait = min(wait * 2, max(interval, Self.longestWait))
            }
            Thread.sleep(forTimeInterval: wait)
        }
    }

    /// Asks until `told` says that nobody listens any more; for a thread of its own.
    ///
    /// - Parameter told: Is told a snapshot, or why there is none and when the next is asked for, in seconds.
    func follow(told: (Result<AdminSnapshot, AdminError>, _ wait: Double) -> Bool) {
        var wait = interval
        do throws(AdminError) {
            let client = try AdminClient(address: address)
            while true {
                let answer = Result { () throws(AdminError) in try snapshot(of: client).read }
                if case .success = answer {
                    wait = interval
                } else {
                    wait = min(wait * 2, max(interval, Self.longestWait))
                }
                guard told(answer, wait) else { return }
                Thread.sleep(forTimeInterval: wait)
            }
        } catch {
            _ = told(.failure(error), .infinity)
        }
    }

    private func snapshot(
        of client: borrowing AdminClient
    ) throws(AdminError) -> (read: AdminSnapshot, json: [UInt8]) {
        let json = try client.get("/v1/admin/state", token: token.read())
        guard let read = AdminSnapshot(json: json) else {
            throw AdminError(reason: "\(address.text) answers, but not as weir's admin listener does")
        }
        return (read, json.last == UInt8(ascii: "\n") ? json.dropLast() : json)
    }
}
