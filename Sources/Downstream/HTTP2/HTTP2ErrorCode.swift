/// Why a stream is reset, or a connection ended (RFC 9113, section 7).
struct HTTP2ErrorCode: Equatable {
    let rawValue: UInt32

    static let noError = Self(rawValue: 0x00)
    static let internalError = Self(rawValue: 0x02)
    static let enhanceYourCalm = Self(rawValue: 0x0B)
}
