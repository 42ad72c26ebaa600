import CCurl
import Flow
import Glibc
import HTTPText
import NIOHTTP1

// The request's body, and its connection, as libcurl's callbacks ask for them.

extension Transfer {
    /// `CURL_WRITEFUNC_PAUSE` and `CURL_READFUNC_PAUSE`, macros that Swift does not see.
    static let pauseTransfer = 0x1000_0001
    /// `CURL_READFUNC_ABORT`.
    private static let abortTransfer = 0x1000_0000

    /// CURLOPT_READFUNCTION; returns the bytes put there, 0 for the body's end, or what makes libcurl wait or give up.
    func bodyWanted(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard !isCancelled, let delegate else { return Self.abortTransfer }
        let replayed = upload.replay(into: target)
        if replayed > 0 { return replayed }
        // The delegate has said already that this is all.
        if upload.isComplete { return 0 }
        let piece = delegate.transferBody(into: target)
        guard !isCancelled else { return Self.abortTransfer }
        switch piece {
        case .bytes(let count):
            upload.took(UnsafeRawBufferPointer(rebasing: target[..<count]))
            return count
        case .nothingYet:
            upload.isHeld = true
            upload.hasMore = false
            return Self.pauseTransfer
        case .end:
            upload.ended()
            return 0
        case .brokenOff: return Self.abortTransfer
        }
    }

    /// CURLOPT_TRAILERFUNCTION; the lines after the last chunk, which libcurl frees.
    func trailersWanted() -> UnsafeMutablePointer<curl_slist>? {
        guard !isCancelled, let delegate else { return nil }
        return delegate.transferBodyTrailers().reduce(nil) { list, field in
            let line = FieldText.bytes("\(field.name): \(field.value)") ?? []
            return (line + [0]).withUnsafeBytes { line in
                line.withMemoryRebound(to: CChar.self) { curl_slist_append(list, $0.baseAddress) } ?? list
            }
        }
    }

    /// CURLOPT_PREREQFUNCTION: the head is about to be sent, maybe once more; whether it may be.
    func requestBegins() -> Bool {
        let mayBegin = upload.begins(isAnswered: response.body != .awaited)
        // Other used connections to the upstream are likely to be closed as well; those of HTTP/2 are shared.
        if upload.attempts == 1, !origin.speaksHTTP2 { useFreshConnection() }
        return mayBegin
    }

    /// CURLOPT_SEEKFUNCTION: the body is wanted from its beginning; whether that is possible.
    func rewindBody() -> Bool { upload.rewind() }
}
