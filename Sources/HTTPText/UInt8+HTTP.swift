/// The classes of bytes in the grammars of HTTP (RFC 9110, sections 5.5 and 5.6).
extension UInt8 {
    /// `DIGIT`: an ASCII digit.
    @inlinable package var isDigit: Bool { self &- 0x30 < 10 }

    /// The value of `HEXDIG`, in either case (RFC 5234, appendix B.1); `nil` for another byte.
    @inlinable package var hexadecimalDigit: Int? {
        switch self {
        case 0x30...0x39: Int(self &- 0x30)
        case 0x41...0x46: Int(self &- 0x37)
        case 0x61...0x66: Int(self &- 0x57)
        default: nil
        }
    }

    /// Space or tab.
    @inlinable package var isOptionalWhitespace: Bool { self == 0x20 || self == 0x09 }

    /// `tchar`: a byte of a field name or a method (section 5.6.2).
    @inlinable package var isTokenByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    /// A byte of a field value: visible, space, tab, or `obs-text`; no other control byte (section 5.5).
    @inlinable package var isFieldValueByte: Bool { self >= 0x20 ? self != 0x7F : self == 0x09 }

    /// A byte of a request target: visible ASCII except `#`, because a fragment is never sent (RFC 9112, section 3.2).
    ///
    /// RFC 3986 excludes `"<>[\]^`{|}` here as well, but clients send them; they cannot end a target, and are accepted.
    @inlinable package var isTargetByte: Bool { self &- 0x21 < 0x5E && self != 0x23 }

    /// A letter A to Z in lower case, any other byte unchanged.
    @inlinable package var lowercasedASCII: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}
