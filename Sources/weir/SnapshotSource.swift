import Foundation
import LiveScreen

/// Requests snapshots, one each interval; after failures less often.
struct SnapshotSource: Sendable {
    let address: AdminAddress
    let token: AdminToken
    /// In seconds.
    let interval: Double

    /// A reload or a restart should be noticed soon, without filling a log until then; in seconds.
    private static let longestWait = 15.0

    /// The rates of one interval need two snapshots: the rates of the first are those since any client's last request.
    func twice() throws(AdminError) -> [AdminSnapshot] {
        let client = try AdminClient(address: address)
        let first = try snapshot(of: client)
        Thread.sleep(forTimeInterval: interval)
        return [first.read, try snapshot(of: client).read]
    }

    /// Writes each snapshot to standard output, one per line.
    ///
    /// - Parameter once: Writes only one, with the rates of one interval.
    /// - Throws: With `once`, the reason for a missing snapshot.
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

    /// Requests snapshots until `receive` returns `false`; for a thread of its own.
    ///
    /// - Parameter receive: Gets a snapshot, or the error and the time until the next request, in seconds.
    func follow(receive: (Result<AdminSnapshot, AdminError>, _ wait: Double) -> Bool) {
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
                guard receive(answer, wait) else { return }
                Thread.sleep(forTimeInterval: wait)
            }
        } catch {
            _ = receive(.failure(error), .infinity)
        }
    }

    /// Requests the state of a stream, or ends it; blocks.
    func stream(_ id: String, isEnding: Bool) -> StreamAnswer {
        do throws(AdminError) {
            let path = "/v1/admin/streams/\(id)"
            let client = try AdminClient(address: address)
            guard let json = try client.send(isEnding ? "DELETE" : "GET", path, token: token.read()) else {
                return .gone
            }
            guard let detail = StreamDetail(json: json) else { return .failed("the response is not a stream's state") }
            return isEnding ? .ended(detail) : .open(detail)
        } catch {
            return .failed(error.reason)
        }
    }

    private func snapshot(
        of client: borrowing AdminClient
    ) throws(AdminError) -> (read: AdminSnapshot, json: [UInt8]) {
        let json = try client.get("/v1/admin/state", token: token.read())
        guard let read = AdminSnapshot(json: json) else {
            throw AdminError(reason: "\(address.text) responds, but not as weir's admin listener does")
        }
        return (read, json.last == UInt8(ascii: "\n") ? json.dropLast() : json)
    }
}
