/// The text that a function copies in pieces of at most `room` bytes, until it has no more.
///
/// - Parameters:
///   - room: The most bytes of a piece.
///   - next: Copies the next piece, and returns its length.
/// - Returns: All pieces.
package func replayedText(room: Int, _ next: (UnsafeMutableRawBufferPointer) -> Int) -> String {
    var bytes: [UInt8] = []
    var target = [UInt8](repeating: 0, count: room)
    while true {
        let count = target.withUnsafeMutableBytes { next($0) }
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += target[..<count]
    }
}
