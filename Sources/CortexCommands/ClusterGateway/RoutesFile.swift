import CortexControlPlane
import CortexKubernetes
import CortexSpec
import Foundation
import Logging
import NIOCore

/// Routes that stand in a file, for a gateway without a cluster: `{"apis": [{"name", "route", "endpoints": ["ip:port"]}]}`.
struct RoutesFile: Sendable {
    let path: String

    private struct Content: Decodable {
        struct API: Decodable {
            var name: APIName
            var route: RouteStatus
            var endpoints: [String]
        }

        var apis: [API]
    }

    /// Why the file says nothing that can be used.
    struct Flaw: Error, CustomStringConvertible {
        let description: String
    }

    func read() throws -> [GatewayAPI] {
        let content: Content
        do {
            content = try StateJSON.decoder().decode(Content.self, from: Data(contentsOf: URL(filePath: self.path)))
        } catch {
            throw Flaw(description: "\(self.path) cannot be read: \(error)")
        }
        return try content.apis.map { api in
            let replicas = try api.endpoints.map { text in
                guard let address = Self.address(text) else {
                    throw Flaw(description: "\(self.path): \"\(text)\" is no address, such as 10.0.0.7:8888")
                }
                return address
            }
            return GatewayAPI(name: api.name, route: api.route, replicas: replicas)
        }
    }

    /// The address of `10.0.0.7:8888` or `[::1]:8888`.
    static func address(_ text: String) -> SocketAddress? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return try? SocketAddress(ipAddress: String(host), port: port)
    }

    /// Has the book follow the file, until the task is cancelled; what cannot be used leaves what is known as it is.
    func follow(_ book: RouteBook) async {
        var seen: Data?
        while !Task.isCancelled {
            let found = FileManager.default.contents(atPath: self.path)
            if let found, found != seen {
                seen = found
                do {
                    await book.set(all: try self.read())
                } catch {
                    await book.note("the routes stay as they are", "\(error)")
                }
            }
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
        }
    }
}
