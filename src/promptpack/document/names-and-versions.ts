/** The forms of names and versions that more than one section of a pack uses. */
import { z } from "zod";

const SEMVER =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?(\+[\da-zA-Z-]+(\.[\da-zA-Z-]+)*)?$/;
const IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const semver = () =>
  z.string().max(256).regex(SEMVER, 'must be a version like "1.4.0" or "v2.0.0-rc.1"');

export const identifier = () =>
  z.string().regex(IDENTIFIER, 'must be of letters, digits and "_", and not begin with a digit');
