"""What people do through `oms` that is no running order's or case's business."""
