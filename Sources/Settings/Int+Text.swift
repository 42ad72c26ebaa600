import HTTPText

extension Int {
    /// Reads one to eighteen digits: no sign, no separator, no leading zero (which YAML 1.1 would read as octal).
    init?(wholeNumber text: some StringProtocol) {
        let digits = text.utf8
        guard (1...18).contains(digits.count), digits.allSatisfy(\.isDigit),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        self.init(text)
    }
}

extension UInt8 {
    var isUppercase: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    var isLetter: Bool { isUppercase || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}
