import NIOHTTP1
import Proxy

extension OwnAnswer {
    /// The same response, whose media type browsers do not guess (https://fetch.spec.whatwg.org/#x-content-type-options-header).
    var withoutSniffing: OwnAnswer {
        var answer = self
        answer.headers.add(name: "X-Content-Type-Options", value: "nosniff")
        return answer
    }
}
