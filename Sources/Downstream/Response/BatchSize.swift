/// How much of a response is written at once.
enum BatchSize {
    /// The most body bytes in one batch, and so the most that a channel has before its client takes them.
    ///
    /// With the size of a chunk before them and CRLF after them (``Outbox``), they are 64 KiB.
    static let maximum = (64 << 10) - 12
    /// The most that libcurl delivers in one call: `CURL_MAX_WRITE_SIZE`.
    static let largestPiece = 16 << 10
}
