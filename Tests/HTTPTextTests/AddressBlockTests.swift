import Testing

@testable import HTTPText

@Suite struct AddressBlockTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("192.0.2.0/25", "192.0.2.127", "192.0.2.128"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("2001:db8::/33", "2001:db8:7fff:ffff::1", "2001:db8:8000::"),
        ("::1", "::1", "::2"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "127.0.0.1"),
        ("127.0.0.1/32", "::ffff:127.0.0.1", "::127.0.0.1"),
    ])
    func containsWhatSharesItsPrefix(text: String, inside: String, outside: String) throws {
        let block = try #require(AddressBlock(text))
        #expect(block.contains(try #require(IPAddress(inside))))
        #expect(!block.contains(try #require(IPAddress(outside))))
    }

    @Test func beginsAtItsFirstAddress() throws {
        #expect(try #require(AddressBlock("192.0.2.77/24")).text == "192.0.2.0/24")
        #expect(AddressBlock("2001:db8::1/32") == AddressBlock("2001:db8::/32"))
    }

    @Test(arguments: [
        ("2001:db8::1", 64, "2001:db8::/64"), ("2001:db8:0:0:ffff::1", 64, "2001:db8::/64"),
        ("2001:db8:0:1::", 64, "2001:db8:0:1::/64"),
        ("2001:db8::1", 128, "2001:db8::1"), ("2001:db8::1", 1, "::/1"), ("192.0.2.1", 64, "192.0.2.1"),
        ("::ffff:192.0.2.1", 64, "192.0.2.1"), ("", 64, ""), ("no:address", 64, "no:address"),
    ]) func aClientIsABlockOfIPv6(address: String, prefix: Int, client: String) {
        #expect(AddressBlock.client(address, ipv6Prefix: prefix) == client)
    }

    @Test func loopbackHasTheBlocksOfItsText() {
        #expect(AddressBlock("127.0.0.1/32") == .loopback)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8/8", "10/8",
        "010.0.0.0/8", "::/129", "::1%lo/128", "::ffff:10.0.0.0/104", "localhost", "10.0.0.0 /8", "10.0.0.1\0/32",
        "10.0.0.0/99999999999999999999",
    ])
    func refuses(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }
}

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("2001:0DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::192.0.2.1", "::192.0.2.1"),
    ])
    func writesTheShortestText(text: String, canonical: String) throws {
        #expect(try #require(IPAddress(text)).text == canonical)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "0x7f.0.0.1", "[::1]", "::1%1", ":::", "1.2.3.4\0", "a",
    ])
    func refuses(_ text: String) {
        #expect(IPAddress(text) == nil)
    }
}
