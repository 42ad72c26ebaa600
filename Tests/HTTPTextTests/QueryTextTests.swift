import HTTPText
import Testing

@Suite struct QueryTextTests {
    @Test(arguments: [
        ("/a", nil), ("/a?", nil), ("/a?y=1", nil), ("/a?x", ""), ("/a?x=", ""), ("/a?x=1&x=2", "1"),
        ("/a?y=1&x=a%20b+c", "a b c"), ("/a?x=%e2%82%ac", "€"), ("/a?%78=1", "1"), ("/a?x=1=2", "1=2"),
        ("/a?x=%4", "%4"), ("/a?x=%zz", "%zz"), ("/a?x=%", "%"), ("/a?xx=1", nil),
    ]) func findsTheFirstValueOfAName(target: String, value: String?) {
        #expect(QueryText.value(of: "x", in: target) == value)
    }
}
