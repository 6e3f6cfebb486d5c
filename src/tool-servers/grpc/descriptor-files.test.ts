import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { toDescriptors } from "./descriptor-files.ts";
import { argumentsSchema } from "./message-schema.ts";
import { offeredMethods } from "./offered-methods.ts";

const label = FieldDescriptorProto_Label.OPTIONAL;
const type = FieldDescriptorProto_Type.MESSAGE;

function aFile(init: MessageInitShape<typeof FileDescriptorProtoSchema>) {
  return create(FileDescriptorProtoSchema, { syntax: "proto3", ...init });
}

/** A file with a service `Shop` whose method takes a message with a field of type `typeName`. */
function aShop(typeName: string, packageName = "shop.v1", method = "Find") {
  return aFile({
    name: `${packageName}.proto`,
    package: packageName,
    messageType: [
      {
        name: "Order",
        field: [{ name: "first_item", number: 1, label, type, typeName }],
        nestedType: [{ name: "Item" }],
      },
    ],
    service: [
      { name: "Shop", method: [{ name: method, inputType: "Order", outputType: "Order" }] },
    ],
  });
}

function namesOf(files: Parameters<typeof toDescriptors>[0]): string[] {
  const { registry } = toDescriptors(files);
  const services = [...registry].filter((each) => each.kind === "service");
  const { methods } = offeredMethods(services, { allow: undefined, block: undefined });
  return [...methods.keys()];
}

describe("descriptors", () => {
  it.each(["Item", "Order.Item", "v1.Order.Item", "shop.v1.Order.Item", ".shop.v1.Order.Item"])(
    "may name the type of a field as %s, and have no JSON names",
    (typeName) => {
      const { registry, notes } = toDescriptors([aShop(typeName)]);
      const order = registry.getMessage("shop.v1.Order");
      expect(notes).toEqual([]);
      expect(order?.fields[0]).toMatchObject({ jsonName: "firstItem" });
      expect(order?.fields[0]?.message?.typeName).toBe("shop.v1.Order.Item");
    },
  );

  it("come in any order, and need not have the files that every program has", () => {
    const items = aFile({ name: "items.proto", package: "items", messageType: [{ name: "Item" }] });
    const shop = aShop(".items.Item");
    expect(toDescriptors([shop, items]).registry.getMessage("shop.v1.Order")).toBeDefined();
    const dated = toDescriptors([aShop("google.protobuf.Timestamp")]).registry;
    const order = dated.getMessage("shop.v1.Order");
    expect(order && argumentsSchema(order)).toMatchObject({
      properties: { firstItem: { type: "string", format: "date-time" } },
    });
  });

  it("leave out a file that names what is nowhere, and keep the others", () => {
    const { registry, notes } = toDescriptors([aShop("Nothing"), aShop("Item", "store.v1")]);
    expect(registry.getService("shop.v1.Shop")).toBeUndefined();
    expect(registry.getService("store.v1.Shop")).toBeDefined();
    expect(notes).toEqual([
      "shop.v1.proto cannot be used: it names the type Nothing, which no file has",
    ]);
  });
});

describe("the names of tools", () => {
  it("have the package where two would be the same, whatever the order", () => {
    const files = () => [aShop("Item", "b.v1"), aShop("Item", "a.v1"), aShop("Item", "c", "Other")];
    const names = ["Shop_Other", "a_v1_Shop_Find", "b_v1_Shop_Find"];
    expect(namesOf(files()).toSorted()).toEqual(names);
    expect(namesOf(files().toReversed()).toSorted()).toEqual(names);
  });

  it("have 64 characters at most, of which the end stays", () => {
    const [name = ""] = namesOf([aShop("Item", "shop", "F".repeat(80))]);
    expect(name).toMatch(/^[0-9a-f]{8}_F{55}$/);
  });
});
