export { AddressTag } from "./AddressTag.tsx";
export { Avatar, initialsOf } from "./Avatar.tsx";
export { Button } from "./Button.tsx";
export { Choice } from "./Choice.tsx";
export { Dialog } from "./Dialog.tsx";
export { Empty } from "./Empty.tsx";
export { Notice } from "./Notice.tsx";
export { Page } from "./Page.tsx";
export { Spinner } from "./Spinner.tsx";
