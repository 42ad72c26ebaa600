import HTTPText

/// A content coding that hides the records of a body: one of IANA's "HTTP Content Coding Registry", `identity` excepted.
///
/// A value of `Content-Encoding` that is not registered (`none`, `UTF-8`) does not change a byte of a body: servers
/// send it by mistake.
package enum ContentCoding: String, Equatable, Sendable, CaseIterable {
    case aes128gcm
    case br
    case compress
    case dcb
    case dcz
    case deflate
    case exi
    case gzip
    case pack200 = "pack200-gzip"
    case zstd
    // Aliases (RFC 9110, sections 8.4.1.1 and 8.4.1.3).
    case xCompress = "x-compress"
    case xGzip = "x-gzip"

    /// The registered coding of this name, compared case-insensitively (RFC 9110, section 8.4.1).
    package init?(_ name: Substring) { self.init(rawValue: name.trimmingOptionalWhitespace.lowercased()) }
}
