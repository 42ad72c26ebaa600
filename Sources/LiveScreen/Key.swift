/// A key of a terminal.
package enum Key: Equatable, Sendable {
    /// A character in ASCII, also one with Ctrl.
    case character(UInt8)
    case enter, escape
    case up, down, pageUp, pageDown, home, end

    /// The keys of what was typed; unknown sequences are omitted.
    ///
    /// Keys without a character send sequences (ECMA-48, section 5.4; xterm, "PC-Style Function Keys"), each of them at once: an
    /// escape with nothing after it is the key itself.
    package static func keys(in bytes: [UInt8]) -> [Key] {
        var keys: [Key] = [], rest = bytes[...]
        while let first = rest.popFirst() {
            switch first {
            case 0x1b where rest.first == UInt8(ascii: "[") || rest.first == UInt8(ascii: "O"):
                rest.removeFirst()
                let parameters = rest.prefix { !(0x40...0x7e).contains($0) }
                rest = rest.dropFirst(parameters.count)
                guard let final = rest.popFirst() else { break }
                if let key = Key(sequence: String(decoding: parameters, as: UTF8.self), final) { keys.append(key) }
            case 0x1b: keys.append(.escape)
            case 0x0a, 0x0d: keys.append(.enter)
            default: keys.append(.character(first))
            }
        }
        return keys
    }

    private init?(sequence parameters: String, _ final: UInt8) {
        switch (final, parameters) {
        case (UInt8(ascii: "A"), ""): self = .up
        case (UInt8(ascii: "B"), ""): self = .down
        case (UInt8(ascii: "H"), ""), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): self = .home
        case (UInt8(ascii: "F"), ""), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): self = .end
        case (UInt8(ascii: "~"), "5"): self = .pageUp
        case (UInt8(ascii: "~"), "6"): self = .pageDown
        default: return nil
        }
    }
}
