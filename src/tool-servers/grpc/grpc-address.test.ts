import { describe, expect, it } from "vitest";
import { grpcAddress } from "./grpc-address.ts";

describe("the url of a gRPC tool", () => {
  it.each([
    ["shop:50051", "http://shop:50051", "shop", ""],
    ["grpc://shop:50051", "http://shop:50051", "shop", ""],
    ["http://shop.svc:80/", "http://shop.svc", "shop.svc", ""],
    ["grpcs://shop.example", "https://shop.example", "shop.example", ""],
    ["https://shop.example:8443/prefix/", "https://shop.example:8443", "shop.example", "/prefix"],
    ["grpc://[::1]:50051", "http://[::1]:50051", "[::1]", ""],
    ["grpc://2130706433:1", "http://127.0.0.1:1", "127.0.0.1", ""],
    ["0x7f.1:1", "http://127.0.0.1:1", "127.0.0.1", ""],
  ])("%s leads to %s", (url, origin, hostname, prefix) => {
    expect(grpcAddress(url)).toEqual({ origin, hostname, prefix });
  });

  it.each(["unix:///run/shop", "ftp://shop", "", "grpc://"])("is not %j", (url) => {
    expect(grpcAddress(url)).toBeUndefined();
  });
});
