import Flow
import NIOHTTP1
import Settings
import Upstream

// The request of a pull: written from its key alone, so that no field of one client reaches the response of another.

extension ProxyRoute {
    /// The request to the upstream, but for its header.
    func upstreamRequest(for key: SharingKey) -> UpstreamRequest {
        UpstreamRequest(method: .GET, target: target(for: key.target))
    }

    /// Writes the header: the fields of the key, and what is the same for all clients.
    ///
    /// - Parameters:
    ///   - list: Where to.
    ///   - key: What its readers have in common.
    ///   - address: Which upstream gets it.
    ///   - forwarding: Has weir's name for `Via`.
    func writeHeader(
        to list: inout HeaderList, of key: SharingKey, at address: UpstreamAddress, forwarding: Forwarding
    ) {
        list.begin(host: host(of: key.authority, at: address))
        for (name, lines) in zip(sharing?.settings.key ?? [], key.fields) where requestFields?.drops(name) != true {
            for line in lines { list.add(name, line) }
        }
        for field in requestFields?.fields ?? [] { list.add(field.name, field.value) }
        if let pseudonym = forwarding.pseudonym { list.add(own: "Via", Forwarding.via(pseudonym, of: .http1_1)) }
        // Records cannot be distinguished in a compressed body.
        list.add(own: "Accept-Encoding", "identity")
    }
}
